"""What becomes of each action, told to a core that writes down its inputs."""

from array import array
from dataclasses import replace
from typing import get_args

import pytest

from nearnet.core.routing_table.edge import EdgeCheck, Verdict, build_edge, sign_edge
from nearnet.core.routing_table.graph import Snapshot
from nearnet.core.runtime.actions import (
    Action,
    CheckMessage,
    Close,
    Dial,
    Event,
    Notify,
    PauseReading,
    Persist,
    Recompute,
    ResumeReading,
    Verify,
    Write,
)
from nearnet.keys import SecretKey, Signature
from nearnet.sim.interpreter import ActionInterpreter
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import PeerInfo, Routed, RoutedMessage
from nearnet.wire.routed_frame import routed_digest

ME, OTHER = SecretKey.from_seed("me"), SecretKey.from_seed("other")
EDGE = build_edge(ME, OTHER.public_key, 1, sign_edge(OTHER, ME.public_key, 1).signature)
FORGED = Edge.build(*EDGE.key, 3, *EDGE.signatures)
NEEDS_NETWORK = (
    Notify(Event("started")),
    Dial(1, PeerInfo(OTHER.public_key), "borsh", 1.0),
    Close(7, "test"),
    PauseReading(7),
    ResumeReading(7),
)
NOW = 12.5


class Core:
    """Leaves these batches of actions, one at each call, and keeps its inputs by name."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.inputs = []

    def take_actions(self):
        return self.batches.pop(0) if self.batches else []

    def __getattr__(self, name):
        return lambda *arguments: self.inputs.append((name, *arguments))


class Plain(ActionInterpreter):
    """Overrides nothing that it need not."""

    def __init__(self, *batches):
        self.core = Core(*batches)
        self.store = MemoryStore()

    def do(self, command, *arguments):
        return command(*arguments, NOW)


class Patient(Plain):
    """Keeps what it cannot do."""

    def __init__(self, *batches):
        super().__init__(*batches)
        self.kept = []

    def on_other(self, action):
        self.kept.append(action)


def routed(author):
    """A routed message in the name of ME that `author` signed."""
    unsigned = RoutedMessage(OTHER.public_key, ME.public_key, Signature(bytes(65)), 9, b"\0body")
    message = Routed(replace(unsigned, signature=author.sign(routed_digest(unsigned))))
    return dialect_named("borsh").routed(dialect_named("borsh").encode(message))


def test_edges_are_checked():
    one = Plain()
    one.carry_out(Verify(5, (EdgeCheck(EDGE), EdgeCheck(FORGED))))
    assert one.core.inputs == [("verified", Verdict(5, ("valid", "forged")), NOW)]


@pytest.mark.parametrize(("author", "outcome"), [(ME, "valid"), (OTHER, "forged")])
def test_a_large_message_is_checked(author, outcome):
    one, check = Plain(), CheckMessage(7, routed(author))
    one.carry_out(check)
    assert one.core.inputs == [("checked", check, outcome, NOW)]


def test_routes_are_computed():
    one = Plain()
    one.carry_out(Recompute(Snapshot(array("i", [0, 1]), array("i", [1, 2]), b"\1\1", 3)))
    ((name, routes, now),) = one.core.inputs
    assert (name, now) == ("routes_ready", NOW)
    assert [routes.distance(peer) for peer in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("token", [None, 3])
def test_rows_are_committed_and_told_when_that_was_asked_for(token):
    one = Plain()
    one.carry_out(Persist((Write("Peers", b"a", b"1"),), token=token))
    assert one.store.get("Peers", b"a") == b"1"
    assert one.core.inputs == ([] if token is None else [("persisted", token, None, NOW)])


@pytest.mark.parametrize("action", NEEDS_NETWORK, ids=lambda action: type(action).__name__)
def test_what_needs_a_network_is_refused_unless_it_is_overridden(action):
    with pytest.raises(NotImplementedError, match=f"Plain does not carry out {type(action).__name__}"):
        Plain().carry_out(action)
    one = Patient()
    one.carry_out(action)
    assert one.kept == [action]


def test_every_kind_of_action_has_a_method():
    for kind in get_args(Action):
        name = "".join("_" + letter.lower() if letter.isupper() else letter for letter in kind.__name__)
        assert callable(getattr(ActionInterpreter, f"on{name}"))
    with pytest.raises(AssertionError, match="unreachable"):
        Plain().carry_out("something else")


def test_actions_are_carried_out_in_order_until_there_are_none():
    first, second = [*NEEDS_NETWORK], [NEEDS_NETWORK[0]]
    one = Patient(first, second)
    assert [one.carry_out_all() for _ in range(3)] == [True, True, False]
    assert one.kept == [*first, *second]
