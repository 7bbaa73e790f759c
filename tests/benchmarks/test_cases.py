"""Every case of the benchmarks runs, small, and gives figures; how fast they are is not judged here."""

import importlib
import json
import math
import subprocess
import sys

import pytest

from benchmarks import forward
from benchmarks.__main__ import CASES, main
from benchmarks.harness import Options, Result, Turns, table
from benchmarks.history import append, commit, document, machine, read
from benchmarks.node_process import NEARNET, Beside, OtherProcess, RawClient
from nearnet.errors import NearnetError
from nearnet.keys import SecretKey

KEY = str(SecretKey.from_seed("another node").public_key)
SLOW = ("forward", "ingest", "join", "large", "start", "memory")


@pytest.mark.parametrize("case", [pytest.param(case, marks=[pytest.mark.slow] * (case in SLOW)) for case in CASES])
def test_it_runs(case):
    results = importlib.import_module(f"benchmarks.{case}").run(Options(small=True))
    assert results
    for result in results:
        assert math.isfinite(result.value)
        assert result.value >= 0
        assert result.name
        assert result.unit


def test_the_table_and_the_history(tmp_path, capsys):
    history = tmp_path / "folder" / "history.jsonl"
    assert main(["verifiers", "--small", "--save", str(history)]) == 0
    assert "one signature" in capsys.readouterr().out
    assert main(["verifiers", "--small", "--json", "--save", str(history)]) == 0
    shown = json.loads(capsys.readouterr().out)
    runs = read(history)
    assert len(runs) == 2
    assert [one["name"] for one in runs[0]["results"]] == [one["name"] for one in shown["results"]]
    assert runs[0]["machine"]["cores"] >= 1
    assert runs[0]["commit"] == commit()


def test_no_history_yet(tmp_path):
    assert read(tmp_path / "none") == []
    append(tmp_path / "one", {"a": 1})
    assert read(tmp_path / "one") == [{"a": 1}]
    assert document([])["machine"].keys() == machine().keys()


@pytest.mark.parametrize("words", [["nonsense"], ["forward", "--beside", "x"], ["forward", "--peer-id", "x"]])
def test_wrong_calls(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err


@pytest.mark.slow
def test_beside_another_node(tmp_path):
    """Whose chain, genesis and last nonce are not those that a benchmark begins with: it takes what the node tells."""
    home = tmp_path / "other"
    init = [NEARNET, "init", "--home", str(home), "--chain-id", "another", "--test-seed", "another node"]
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
    command = f"{NEARNET} run --home {home} --network-addr 127.0.0.1:{{port}} --rpc-addr '' --log-level error"
    peer_id = str(SecretKey.from_seed("another node").public_key)
    beside = Beside(command, peer_id, "protobuf", "benchmark", "1" * 32)
    results = forward.beside(Options(small=True, beside=beside))
    assert [result.unit for result in results] == ["x its CPU", "x its messages a second"]


def test_a_program_beside_that_ends():
    with pytest.raises(NearnetError, match="--beside ended with exit code 3"):
        OtherProcess(Beside(f"{sys.executable} -c 'raise SystemExit(3)'", KEY, "borsh", "benchmark", "1" * 32))


def test_a_program_beside_that_is_no_node(tmp_path):
    """It takes the connection and closes it."""
    program = tmp_path / "program.py"
    program.write_text(
        "import socket, sys\n"
        "with socket.create_server(('127.0.0.1', int(sys.argv[1]))) as server:\n"
        "    while True:\n"
        "        server.accept()[0].close()\n"
    )
    command = f"{sys.executable} {program} {{port}}"
    with (
        OtherProcess(Beside(command, KEY, "borsh", "benchmark", "1" * 32)) as other,
        pytest.raises((NearnetError, ConnectionError)),
    ):
        RawClient(other, SecretKey.from_seed("client"))


def test_bounds():
    assert Result("a", 1.0, "x", 1.0).reached
    assert not Result("a", 1.1, "x", 1.0).reached
    assert Result("a", 1.1, "x", least=1.0).reached
    assert not Result("a", 0.9, "x", least=1.0).reached
    lines = table([Result("a", 1.1, "x", 1.0), Result("b", 1.0, "x", least=0.5), Result("c", 2.0, "x")]).splitlines()
    assert "NO" in lines[1]
    assert "yes" in lines[2]
    assert "NO" not in lines[3]


def test_ratios_are_of_the_same_moment():
    turns = Turns((2.0, 6.0, 9.0), (1.0, 2.0, 3.0))
    result = turns.result("a", "x", 3.0)
    assert (turns.ratios, result.value, result.spread) == ([2.0, 3.0, 3.0], 3.0, (2.0, 3.0))
    assert turns.item == 6.0
