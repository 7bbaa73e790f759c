"""Errors survive what multiprocessing and logging do to them: pickles and copies."""

from __future__ import annotations

import copy
import pickle

import pytest

from nearnet import errors
from nearnet.errors import InvalidRoutedSignature, NearnetError, RouteNotFound
from nearnet.tools.rpc_client import NodeUnreachable, RpcFailed


def _kinds(kind: type[NearnetError]) -> list[type[NearnetError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in _kinds(below))]


def test_all_of_them_are_looked_at() -> None:
    assert {NodeUnreachable, RpcFailed, InvalidRoutedSignature, RouteNotFound} <= set(_kinds(NearnetError))


@pytest.mark.parametrize("kind", dict.fromkeys(_kinds(NearnetError)), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickle_and_copy(kind: type[NearnetError]) -> None:
    error = RouteNotFound("NoRouteFound", "no way is known") if kind is RouteNotFound else kind("it failed")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is kind
        assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))


def test_a_note_survives_too() -> None:
    error = RouteNotFound("Self", "a node sends no routed message to itself")
    error.add_note("while the program started")
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.reason, twin.__notes__) == ("Self", ["while the program started"])


def test_errors_are_listed() -> None:
    assert [name for name in errors.__all__ if not hasattr(errors, name)] == []
