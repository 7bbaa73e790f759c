"""nearnet decode, for both dialects."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nearnet.cli import main
from tests.vectors_file import vectors

PROTOBUF = vectors("protobuf")["messages"]
LINES = [case["proto"] for case in PROTOBUF]
LINES += [case["borsh"] for case in vectors("borsh")["messages"]]
LINES += [case["message"] for case in vectors("borsh")["routed"]]


@pytest.fixture
def golden(tmp_path):
    """A file with every golden message, one a line."""
    path = tmp_path / "golden.hex"
    path.write_text("\n".join(LINES))
    return path


def test_every_golden_message_by_the_command_itself(golden):
    nearnet = Path(sys.executable).with_name("nearnet")
    done = subprocess.run(
        [nearnet, "decode", str(golden), "--roundtrip"], capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{len(LINES)} of {len(LINES)} equal\n"


def test_json_has_the_names_of_the_vectors(golden, capsys):
    assert main(["decode", str(golden), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == len(LINES)
    for case, one in zip(PROTOBUF, told, strict=False):
        assert one["variant"] == case["variant"]
        assert set(case["fields"]) <= set(one["fields"])


def test_a_tree(capsys):
    case = next(case for case in PROTOBUF if case["name"] == "routed Pong to peer")
    assert main(["decode", case["proto"]]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "message 1"
    for line in ("dialect: protobuf", "name: Routed", "num_hops: 3", "ttl: 100", "verify: yes", "body: Pong"):
        assert line in lines


def test_from_stdin(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("06\n5200\n"))
    assert main(["decode", "-", "--json"]) == 0
    dialects = [json.loads(line)["dialect"] for line in capsys.readouterr().out.splitlines()]
    assert dialects == ["borsh", "protobuf"]


def test_json_of_a_round_trip(capsys):
    assert main(["decode", "5200", "--roundtrip", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["equal"] is True
    assert err == "1 of 1 equal\n"


@pytest.mark.parametrize(("text", "shown"), [("07", "error"), ("ff", "error"), ("ba0200", "error")])
def test_what_does_not_read(text, shown, capsys):
    assert main(["decode", text]) == 1
    assert shown in capsys.readouterr().out
    assert main(["decode", text, "--roundtrip"]) == 1
    assert capsys.readouterr().out == "0 of 1 equal\n"


@pytest.mark.parametrize("text", ["xyz", "123", ""])
def test_what_is_no_hex(text, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["decode", text or "-"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_that_is_no_text(tmp_path, capsys):
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe")
    assert main(["decode", str(path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
