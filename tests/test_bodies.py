"""The kinds of bodies by name."""

from __future__ import annotations

from nearnet import bodies
from nearnet.bodies import BodyKind
from nearnet.wire.routed_body import BODY_NAMES


def test_each_kind_has_its_name_and_number() -> None:
    names = {kind.value: "".join(part.capitalize() for part in kind.name.split("_")) for kind in BodyKind}
    assert names == {index: name for index, name in BODY_NAMES.items() if name != "Unused"}


def test_the_typed_bodies_are_all_there() -> None:
    assert [name for name in bodies.__all__ if not hasattr(bodies, name)] == []
    assert bodies.decode_body(bodies.encode_body(bodies.Opaque(BodyKind.QUERY_REQUEST, b"x"))).index == 4  # type: ignore[union-attr]
