"""The study's measurements on small networks, and its page."""

import json

import pytest

from studies.measure import PHASES, measure
from studies.page import write_page


@pytest.fixture(scope="module")
def figures():
    return measure(14, seed=1)


def test_every_phase_is_measured(figures):
    assert set(PHASES) <= figures.keys()
    assert figures["links"] >= 14 * 3
    assert 0 < figures["leave"]["agree_seconds"] < 2
    assert 0.9 < figures["join"]["agree_seconds"] < 3
    assert figures["halves"]["links_cut"] > 0
    assert figures["quiet"]["messages_per_node"] == 0
    assert figures["join"]["bytes_per_node"] > figures["leave"]["bytes_per_node"] > 0
    assert figures["cost"]["events"] > 1000


def test_every_ping_is_answered(figures):
    routing = figures["routing"]
    assert routing["pings"] == routing["pongs"] == 70
    assert len(routing["passed_on"]) == 14
    assert 0 < routing["passed_on_mean"] <= routing["passed_on_p99"] <= routing["passed_on_most"]


def test_the_same_seed_gives_the_same_figures(figures):
    again = measure(14, seed=1, phases=("leave",))
    for name in ("agree_seconds", "rejoin_seconds", "bytes_per_node", "messages_per_node"):
        assert again["leave"][name] == figures["leave"][name]


def test_the_page(figures, tmp_path):
    pytest.importorskip("matplotlib")
    results, docs = tmp_path / "results", tmp_path / "docs"
    results.mkdir()
    docs.mkdir()
    (results / "14.json").write_text(json.dumps(figures))
    (results / "9.json").write_text(json.dumps({**figures, "nodes": 9, "halves": {}, "routing": {}}))
    assert write_page(results, docs) == "9 nodes, 14 nodes"
    page = (docs / "study.md").read_text()
    assert "python -m studies measure --nodes 14 --seed 1" in page
    assert {path.name for path in (docs / "study").iterdir()} == {"agreement.svg", "bytes.svg", "load.svg"}
    first = (docs / "study" / "load.svg").read_text()
    write_page(results, docs)
    assert (docs / "study" / "load.svg").read_text() == first
