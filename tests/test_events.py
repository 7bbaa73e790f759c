"""The classes of events: each kind that is told has one with these fields, and its JSON is what was told."""

from __future__ import annotations

import ast
import copy
import json
import pickle
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from told_events import EXAMPLES, PEER, told

import nearnet
from nearnet import events
from nearnet.errors import ReasonForBan
from nearnet.events import KINDS, NodeEvent, Overflow, event_from
from nearnet.keys import CryptoHash

SOURCES = Path(nearnet.__file__).parent


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _values_of(name: str, function: ast.FunctionDef) -> list[ast.expr]:
    """What is assigned to a local name, both sides of a conditional expression."""
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
    ]
    return [side for one in values for side in ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,))]


def _names(keywords: list[ast.keyword], function: ast.FunctionDef) -> set[str]:
    names = {keyword.arg for keyword in keywords if keyword.arg is not None}
    for keyword in keywords:
        if keyword.arg is None:
            assert isinstance(keyword.value, ast.Name)
            (made,) = _values_of(keyword.value.id, function)
            names |= _keys(made)
    return names


def _keys(made: ast.expr) -> set[str]:
    assert isinstance(made, ast.Dict)
    return {ast.literal_eval(key) for key in made.keys if key is not None}


def _told_in(path: Path) -> Iterator[tuple[str, str, set[str]]]:
    """(Where, kind, fields) of each event that the core tells by `notify`, or the shell by `Event`."""
    for function in _functions(ast.parse(path.read_text())):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            teller = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
            is_ours = "context" in teller or "journal" in teller or (teller == "self" and path.name == "context.py")
            if name == "notify" and is_ours and function.name != "notify":
                told_names = _names(call.keywords, function)
            elif name == "Event" and len(call.args) == 3 and isinstance(call.args[2], ast.Dict):
                told_names = _keys(call.args[2])
            else:
                continue
            kind = call.args[0]
            kinds = _values_of(kind.id, function) if isinstance(kind, ast.Name) else [kind]
            assert kinds, f"{path}:{call.lineno}: the kind of the event cannot be told from the source"
            yield from ((f"{path.name}:{call.lineno}", ast.literal_eval(one), told_names) for one in kinds)


def _all_told() -> list[tuple[str, str, set[str]]]:
    return [
        one for part in ("core", "net") for path in sorted((SOURCES / part).rglob("*.py")) for one in _told_in(path)
    ]


def _fields(kind: str) -> dict[str, bool]:
    """The fields of a class, and whether they must be told."""
    base = {field.name for field in fields(NodeEvent)}
    return {one.name: one.default is MISSING for one in fields(KINDS[kind]) if one.name not in base}


def test_each_event_that_the_code_tells_has_a_class_with_its_fields() -> None:
    found = _all_told()
    assert {kind for _, kind, _ in found} == set(KINDS)
    for where, kind, names in found:
        must = {name for name, is_needed in _fields(kind).items() if is_needed}
        assert must <= names <= set(_fields(kind)), f"{where} tells {kind} with {sorted(names)}"


def test_each_class_is_public_and_documented() -> None:
    assert len(KINDS) == len({one.__name__ for one in KINDS.values()})
    for kind, one in KINDS.items():
        assert one.kind == kind
        assert one.__name__ in events.__all__
        assert len(one.__doc__ or "") > 20


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_an_event_leads_to_json_and_back(kind: str) -> None:
    event = told(kind, time=1.5, seq=3)
    assert type(event) is KINDS[kind]
    assert event.as_dict() == {"seq": 3, "time": 1.5, "kind": kind, "peer_id": str(PEER), **EXAMPLES[kind]}
    data = json.loads(json.dumps(event.data))
    assert event_from(kind, data, seq=3, time=1.5, peer_id=PEER) == event
    assert copy.deepcopy(event) == pickle.loads(pickle.dumps(event)) == event


def test_the_examples_are_complete() -> None:
    assert set(EXAMPLES) == set(KINDS)


def test_values_have_the_types_of_the_protocol() -> None:
    banned = told("banned", reason="BadChunkStateWitness")
    assert isinstance(banned, events.Banned)
    assert banned.reason is ReasonForBan.BAD_CHUNK_STATE_WITNESS
    pong = told("pong")
    assert isinstance(pong, events.PongReceived)
    assert pong.hash == CryptoHash.of(b"a message")
    assert type(pong.hash) is CryptoHash


def test_no_peer_no_peer_id() -> None:
    assert told("routes", None).as_dict() == {"seq": 1, "time": 1.0, "kind": "routes", "reachable": 4}


def test_a_gap_in_a_stream() -> None:
    assert Overflow(4).as_dict() == {"kind": "overflow", "n": 4}


def test_what_no_class_describes_is_refused() -> None:
    with pytest.raises(KeyError, match="no_such_kind"):
        event_from("no_such_kind", {}, seq=1, time=1.0, peer_id=None)
    with pytest.raises(TypeError, match="reachable"):
        told("unbanned", reachable=1)
