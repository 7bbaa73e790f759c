"""Writes `limits.md`, `threats.md`, `scenarios.md` and `interop.md` (`make docs`): texts from `source/`, defaults from
the config, tests from their marks `threat(n)`, `scenario(n)` and `interop(name)`."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nearnet.config import NetworkConfig
from nearnet.config.network_config import OVERRIDES, QUEUES
from nearnet.wire import message_kinds
from nearnet.wire.routed_body import BODY_NAMES

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
NONE = "none of its own yet"

Marked = dict[int | str, list[str]]


def _rows(name: str) -> list[list[str]]:
    lines = (DOCS / "source" / f"{name}.txt").read_text().splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def promised(name: str) -> list[int | str]:
    """The numbers, or names, that a page has rows for."""
    return [int(row[0]) if row[0].isdigit() else row[0] for row in _rows(name)]


def _numbers(decorator: ast.expr, name: str) -> Iterator[int | str]:
    """Those of ``@pytest.mark.<name>(1, 2)``."""
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{name}":
        yield from (ast.literal_eval(argument) for argument in decorator.args)


def _marks(node: ast.AST, name: str) -> Iterator[int | str]:
    for decorator in getattr(node, "decorator_list", ()):
        yield from _numbers(decorator, name)
    if isinstance(node, ast.Module):
        for statement in node.body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
                values = statement.value.elts if isinstance(statement.value, ast.List) else [statement.value]
                for value in values:
                    yield from _numbers(value, name)
    # One case of a parametrized test: pytest.param(.., marks=pytest.mark.<name>(1)).
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for inner in (n for decorator in node.decorator_list for n in ast.walk(decorator)):
            if isinstance(inner, ast.keyword) and inner.arg == "marks":
                yield from _numbers(inner.value, name)


@cache
def marked(name: str) -> Marked:
    """Row number to the tests that hold it, ``path::test``."""
    found: Marked = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = path.relative_to(ROOT).as_posix()
        module = ast.parse(path.read_text())
        for number in _marks(module, name):
            found[number].append(where)
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for number in _marks(node, name):
                    found[number].append(f"{where}::{node.name}")
    return found


# Of the paths of tests, the first that fits says what kind of proof it is; the others are plain calls, or properties.
KINDS = (
    ("tests/fuzzing/", "F"),
    ("tests/crash/test_partitions", "N"),
    ("tests/crash/test_paused", "R"),
    ("tests/crash/", "C"),
    ("tests/network/test_restarts", "C"),
    ("tests/sim/test_real_sockets", "R"),
    ("tests/sim/", "S"),
    *((f"tests/{part}/", "R") for part in ("network", "net", "conformance", "api", "browser", "soak", "cli", "tools")),
)
KIND_NAMES = {
    "U": "plain calls",
    "P": "properties of whatever is drawn (hypothesis), and state machines",
    "S": "simulation",
    "R": "real nodes on loopback sockets",
    "N": "real nodes on a network of their own, which swallows packets",
    "F": "fuzzing",
    "C": "crashes: killed processes, damaged and full disks",
}


@cache
def _drawn(path: str) -> frozenset[str]:
    """The tests of a file that hypothesis draws for: functions with `given`, and state machines."""
    module = ast.parse((ROOT / path).read_text())
    found = set()
    for node in ast.walk(module):
        drawn = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            ast.unparse(decorator).startswith("given(") for decorator in node.decorator_list
        )
        machine = isinstance(node, ast.ClassDef) and "RuleBasedStateMachine" in map(ast.unparse, node.bases)
        if drawn or machine:
            found |= {node.name, "" if machine else node.name}
    return frozenset(found)


def kind_of(test: str) -> str:
    """The letter of `KIND_NAMES` for ``path::test``."""
    path, _, name = test.partition("::")
    known = next((kind for start, kind in KINDS if path.startswith(start)), None)
    return known or ("P" if name in _drawn(path) else "U")


def unproved() -> list[str]:
    """Rows of threats that lack a kind of proof that their last column wants."""
    found = marked("threat")
    lacking = []
    for number, _, _, *wanted in _rows("threats"):
        proved = {kind_of(test) for test in found.get(int(number), ())}
        if missing := "".join(kind for kind in "".join(wanted) if kind not in proved):
            lacking.append(f"{number}: {missing}")
    return lacking


def _by_kind(found: Marked, number: int) -> str:
    """The tests of a row, by what kind of proof they are."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for test in dict.fromkeys(found.get(number, ())):
        kinds[kind_of(test)].append(f"`{test}`")
    return "<br>".join(f"**{kind}** {' '.join(kinds[kind])}" for kind in KIND_NAMES if kind in kinds) or NONE


def _tests(found: Marked, number: int | str) -> str:
    return "<br>".join(f"`{test}`" for test in dict.fromkeys(found.get(number, ()))) or NONE


def threats() -> str:
    """The page of threats."""
    found = marked("threat")
    lines = [
        "# Threats and faults",
        "",
        "Written by `make docs`. The numbers are those of the specification's table; what is not here comes later.",
        '"Close" ends the connection, counted by reason; "ban" besides refuses the peer for `network.ban_window`.',
        "The letter before a test says how it proves its row:",
        "",
        *(f"* **{kind}** {name}" for kind, name in KIND_NAMES.items()),
        "",
        "| # | what happens | what the node does | tests |",
        "|---|---|---|---|",
        *(f"| {n} | {what} | {does} | {_by_kind(found, int(n))} |" for n, what, does, *_ in _rows("threats")),
        "",
        "Departures from the recorded answers of a real node, in `tests/conformance/test_transcripts.py`:",
        "",
        "| what | why |",
        "|---|---|",
        "| a peer that forged an edge is closed at once; the real node left its socket open | decision 10 |",
        "| the acceptor tells its other neighbors of a newcomer's edge | decision 9 |",
        "| a list of peers leaves out who has no address, and a claimed port takes nothing from a connected peer "
        "| nobody can dial the one; the other is a claim |",
        "| tables and the request for peers come at other times, in other pieces | they are told unasked |",
    ]
    return "\n".join(lines) + "\n"


def scenarios() -> str:
    """The page of scenarios."""
    found = marked("scenario")
    lines = [
        "# Network scenarios",
        "",
        "Written by `make docs`. The numbers are those of the specification's list. Four do not apply: state",
        "parts (80) and the demultiplexer (98) are the chain client's, distance vectors (85) are counted only, and",
        "this node is no client of tier 1 (94). `nearnet sim list` names those that run in the simulator.",
        "",
        "| # | scenario | tests |",
        "|---|---|---|",
        *(f"| {n} | {what} | {_tests(found, int(n))} |" for n, what in _rows("scenarios")),
    ]
    return "\n".join(lines) + "\n"


def interop() -> str:
    """Return the page of the three generations of nodes."""
    found = marked("interop")
    lines = [
        "# Three generations of nodes",
        "",
        "Written by `make docs`. Each row is a message or a rule: how nodes of 2022 (borsh), of December 2025 and of",
        "2026 (both protobuf) treat it, what this node does, and the tests that show it. The outside suites that real",
        "nodes of 2022 and 2025 hold also run against a live node, and their recorded answers are replayed",
        "(`tests/conformance/`). No live node of 2026 could be asked: its column was read in its sources, and the",
        "simulator plays it ([simulator.md](simulator.md)).",
        "",
        "| message or rule | 2022 | 2025 | 2026 | this node | tests |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} | {_tests(found, row[0])} |" for row in _rows("interop")),
    ]
    return "\n".join(lines) + "\n"


def limits() -> str:
    """The page of limits."""
    defaults = NetworkConfig().nearnet.limits.model_dump()
    lines = [
        "# Limits",
        "",
        "Written by `make docs`. Each is a field of `nearnet.limits` in config.json, or of `--set`.",
        "`nearnet_limits` of the RPC shows value, use and hits. None is seen on the wire. Connections as such are",
        "bounded by `network.max_num_peers`, 128 at most.",
        "",
        "| field | default | unit | what it bounds |",
        "|---|---|---|---|",
    ]
    texts = {name: (unit, what) for name, unit, what in _rows("limits")}
    for name, default in defaults.items():
        unit, what = texts[name]
        lines.append(f"| {name} | {_shown(default)} | {unit} | {what} |")
    lines += [
        "",
        "## Names of the reference node",
        "",
        "Fields of `network` set a limit unless its own field is set. Entries of",
        "`network.experimental.network_config_overrides` set it in any case; of two the second wins.",
        "",
        "| field or entry | sets |",
        "|---|---|",
        *(f"| network.{name} | {path} |" for path, name in QUEUES),
        *(f"| {name} | {path} |" for path, name in OVERRIDES),
        "",
        "## Messages by kind",
        "",
        "On protobuf connections. A larger frame is dropped on receipt, and never sent or passed on; but a",
        "SyncRoutingTable of up to 64 MiB is taken, because a node of 2025 sends its whole table in one. What comes",
        "above the rate is dropped, but for SyncRoutingTable, whose row shows what other nodes take;",
        "`tables_per_second` is what this node takes. An entry of `received_messages_rate_limits` sets another rate.",
        "Neither costs anybody a ban. On borsh connections only EpochSyncRequest has a rate by default.",
        "",
        "| kind | largest frame | rate | other names in the config |",
        "|---|---|---|---|",
    ]
    for number, kind in enumerate(message_kinds.KINDS):
        if kind.name == "Unknown" and number != message_kinds.BODIES - 1:
            continue
        name = "routed, of an unknown body" if kind.name == "Unknown" else kind.name
        names = f"routed {name} ({number})" if number in BODY_NAMES else name
        lines.append(f"| {names} | {_shown(kind.most_bytes)} | {_rate(kind.rate)} | {', '.join(kind.keys)} |")
    return "\n".join(lines) + "\n"


def _rate(rate: message_kinds.Rate | None) -> str:
    if rate is None:
        return ""
    if rate.refill_rate < 1:
        return f"{rate.maximum_size}, then one every {1 / rate.refill_rate:g} s"
    return f"{rate.maximum_size}, then {rate.refill_rate:g} a second"


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() if value >= 2**10 and value % 2**10 == 0:
            return f"{value // 2**20} MiB" if value % 2**20 == 0 else f"{value // 2**10} KiB"
        case dict():
            return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
        case _:
            return str(value)


PAGES = {"limits.md": limits, "threats.md": threats, "scenarios.md": scenarios, "interop.md": interop}


def main() -> int:
    """Write all pages; say which changed."""
    for name, make in PAGES.items():
        text = make()
        if not (DOCS / name).exists() or (DOCS / name).read_text() != text:
            (DOCS / name).write_text(text)
            print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
