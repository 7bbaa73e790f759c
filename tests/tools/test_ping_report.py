"""Statistics of pings, and the reference tool's CSV file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nearnet.config import parse_peer
from nearnet.errors import ConfigError
from nearnet.keys import SecretKey
from nearnet.tools.ping import PingResult
from nearnet.tools.ping_report import CSV_HEADER, LatenciesCsv, TargetStatistics, percentile, sparkline

KEY = SecretKey.from_seed("target").public_key
TARGET = parse_peer(f"{KEY}@127.0.0.1:24567")


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (0, 1, 50, 90, 99, 100)] == [1, 1, 50, 90, 99, 100]
    assert percentile([7.0], 99) == 7.0


def test_sparkline() -> None:
    assert sparkline([0.0, 4.0, None, 8.0]) == "▁▅×█"
    assert sparkline([None]) == "×"
    assert sparkline([]) == ""


def test_statistics() -> None:
    each = TargetStatistics(TARGET)
    assert (each.name, each.summary(), each.line) == (str(KEY), {}, "")
    each.add(PingResult(TARGET, 1, reason="no pong"))
    assert (each.pings, each.pongs, each.reason) == (1, 0, "no pong")
    for seq, milliseconds in enumerate((3.0, 1.0, 2.0), 2):
        each.add(PingResult(TARGET, seq, 2, milliseconds))
    assert (each.pings, each.pongs, each.hops, each.reason) == (4, 3, 2, None)
    assert each.summary() == {"min": 1.0, "avg": 2.0, "p50": 2.0, "p90": 3.0, "p99": 3.0, "max": 3.0}
    assert each.line == "×█▃▆"


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "latencies.csv"
    account = parse_peer(f"{KEY}@127.0.0.1:24567@far.near")
    with LatenciesCsv(path) as file:
        file.add(PingResult(TARGET, 1, 1, 1.2345))
        file.add(PingResult(account, 1, reason="no pong"))
    header, first, second = path.read_text().splitlines()
    assert header == CSV_HEADER == "timestamp,ID,latency"
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z,{KEY},1234", first)
    assert second.partition(",")[2] == "far.near,TIMEOUT"


def test_csv_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "latencies.csv"
    path.write_text(f"{CSV_HEADER}\nthe last line had no end")
    with LatenciesCsv(path) as file:
        file.add(PingResult(TARGET, 1, 1, 1.0))
    lines = path.read_text().splitlines()
    assert lines[:2] == [CSV_HEADER, "the last line had no end"]
    assert len(lines) == 3


@pytest.mark.parametrize("content", [b"something else\n", b"\xff\xfe\n"])
def test_csv_spoils_no_other_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="--latencies-csv"):
        LatenciesCsv(path)
    assert path.read_bytes() == content
    with pytest.raises(ConfigError, match="cannot be written"):
        LatenciesCsv(tmp_path)
