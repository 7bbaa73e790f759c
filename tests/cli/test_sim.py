"""nearnet sim, as it is called."""

from __future__ import annotations

import json

import pytest

from nearnet.cli import main
from nearnet.sim.conditions import Connected
from nearnet.sim.scenarios import faults
from nearnet.sim.steps import Connect, Scenario, Wait, Within

BROKEN = Scenario(
    "broken on purpose", "for this test", 2, (*(Wait(0.1) for _ in range(5)), Within(1, Connected(0, 1))), quiet=False
)


@pytest.fixture
def broken(monkeypatch):
    monkeypatch.setattr("nearnet.sim.scenarios.ALL", (BROKEN, *faults.ALL))


def call(capsys, *words):
    code = main(["sim", *words])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_list(capsys):
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert "broken square" in out
    assert " 47  proved by tests/core/routing_table/test_routing_table.py" in out
    code, out, _ = call(capsys, "list", "--json")
    listed = json.loads(out)
    assert {key: listed[0][key] for key in ("number", "name", "nodes")} == {"number": 1, "name": "pair", "nodes": 2}
    assert {one["name"] for one in listed if one["scales"]} >= {"join", "chaos"}


def test_run(capsys, tmp_path):
    code, out, _ = call(
        capsys, "run", "12", "--seed", "3", "--trace", f"{tmp_path / 't'}", "--chart", f"{tmp_path / 'c'}"
    )
    assert code == 0
    assert out.startswith("12 broken square: held; seed 3, ")
    assert json.loads((tmp_path / "t").read_text().splitlines()[0])["kind"] == "start"
    assert (tmp_path / "c").read_text().startswith("<svg")


def test_run_twice_is_the_same(capsys):
    first, second = (json.loads(call(capsys, "run", "chaos", "--faults", "--json")[1]) for _ in range(2))
    assert first == second
    assert first["ok"] is True
    assert sum(first["faults"].values()) > 0


def test_run_for_another_number_of_nodes(capsys):
    code, out, _ = call(capsys, "run", "join", "--nodes", "12", "--json")
    assert (code, json.loads(out)["scenario"]) == (0, "join")


def test_a_failure_is_exit_code_1(capsys, broken):
    code, out, _ = call(capsys, "run", "broken-on-purpose")
    assert code == 1
    assert "FAILED" in out
    assert "not within 1 s: Connected(node=0, other=1)" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nonsense"), "is no scenario"),
        (("run", "12", "--nodes", "9"), "--nodes is for others"),
        (("run", "12", "--seed", "x"), "--seed"),
        (("explore", "chaos", "--seeds", "9..1"), "holds no seed"),
        (("explore", "chaos", "--jobs", "0"), "is no number of jobs"),
        (("explore", "chaos", "--backend", "abacus"), "is no backend"),
    ],
)
def test_wrong_calls(capsys, words, said):
    code, _, err = call(capsys, *words)
    assert code == 2
    assert said in err


def test_explore_what_holds(capsys):
    code, out, _ = call(capsys, "explore", "chaos", "--seeds", "0..2", "--jobs", "1")
    assert (code, out) == (0, "3 seeds of chaos, 0 failed\n")


def test_explore_says_how_to_have_a_failure_again_and_makes_it_short(capsys, broken, tmp_path):
    code, out, _ = call(
        capsys, "explore", "broken-on-purpose", "--seeds", "4..5", "--jobs", "1", "--out", str(tmp_path)
    )
    assert code == 1
    assert "again: nearnet sim run broken-on-purpose --seed 4 --faults" in out
    assert "made short, 1 steps:" in out
    assert out.endswith("2 seeds of broken-on-purpose, 2 failed\n")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"broken-on-purpose-{seed}.{kind}" for seed in (4, 5) for kind in ("jsonl", "svg")
    }
    code, out, _ = call(capsys, "explore", "broken-on-purpose", "--seeds", "4", "--jobs", "1", "--json")
    first, last = map(json.loads, out.splitlines())
    assert (first["seed"], len(first["shrunk"]), last["failed"]) == (4, 1, [4])
    assert Connect(0, 1) not in BROKEN.steps


def test_progress_is_for_terminals(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    _, out, err = call(capsys, "explore", "1", "--seeds", "0..1", "--jobs", "1")
    assert "2 of 2 seeds, 0 failed" in err
    assert out == "2 seeds of 1, 0 failed\n"
