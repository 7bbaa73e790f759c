import pytest
from sim_worlds import quiet_config, world_of

from nearnet import keys
from nearnet.sim.raw import (
    RawBytes,
    RawHandshake,
    RawOpen,
    RawPeer,
    RawPeersRequest,
    RawPing,
    RawRouted,
    RawTable,
    heard_name,
    mesh,
    raw_bytes,
    read_frames,
)
from nearnet.sim.signatures import FastKey, fast_signatures
from nearnet.sim.third_keys import has_third_key
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import Disconnect, PeersResponse

KEY, NODE = FastKey("client"), FastKey("node").public_key


def sent(step):
    return raw_bytes(step, KEY, NODE, quiet_config(), [NODE, KEY.public_key], b"noise" * 20)


def read(step):
    return read_frames(Framer(), sent(step))


def test_what_is_sent_reads_as_what_it_is():
    assert read(RawHandshake("A", nonce=7)) == ["Handshake nonce 7"]
    assert read(RawPing("A", 0, ttl=9)) == read(RawPing("A", None, ttl=9)) == ["Routed 14 ttl 9"]
    assert read(RawPeersRequest("A")) == ["PeersRequest"]
    assert read(RawTable("A", 4, nonce=3)) == ["SyncRoutingTable 6 edges 0 accounts"]
    assert sent(RawBytes("A", b"xy", count=2)) == 2 * (frame_prefix(2) + b"xy")
    assert sent(RawBytes("A", b"xy", framed=False)) == b"xy"


def test_a_future_version_has_noise_for_a_body():
    data = sent(RawHandshake("A", version=2**32 - 1, garbage=3))
    assert data[4:] == b"\0" + b"\xff" * 4 + data[9:13] + b"noi"
    assert read_frames(Framer(), data) == ["unreadable"]


def test_wrong_handshakes_differ_from_right_ones():
    right = sent(RawHandshake("A"))
    wrong = [
        RawHandshake("A", signed=False),
        RawHandshake("A", target=False),
        RawHandshake("A", claims=0),
        RawHandshake("A", genesis="another"),
        RawHandshake("A", version=3),
    ]
    assert len({right, *map(sent, wrong)}) == 1 + len(wrong)


def test_a_client_of_today():
    def protobuf(step):
        ids = [NODE, KEY.public_key]
        data = raw_bytes(step, KEY, NODE, quiet_config(), ids, b"noise" * 20, "protobuf", 1_700_000_000.5)
        return read_frames(Framer(), data)

    assert protobuf(RawHandshake("A")) == ["Handshake nonce 1700000001"]
    assert protobuf(RawHandshake("A", nonce=7)) == ["Handshake nonce 7"]
    assert protobuf(RawRouted("A", 0, 24)) == ["Routed 24 ttl 100"]
    assert protobuf(RawTable("A", 4, ahead=60.0)) == ["SyncRoutingTable 6 edges 0 accounts"]
    assert read(RawHandshake("A")) == ["Handshake nonce 1"]


def test_a_forged_message_differs_by_its_signature_only():
    right, wrong = (dialect_named("borsh").routed(sent(RawRouted("A", 0, 24, forged=forged))[4:]) for forged in (0, 1))
    assert (right.author, right.target, right.digest()) == (wrong.author, wrong.target, wrong.digest())
    with fast_signatures():
        assert keys.check_signatures([right.signature_row(), wrong.signature_row()]) == ["valid", "forged"]


def test_keys_of_the_third_type_come_last():
    data = sent(RawTable("A", 3, third_keys=2))
    assert len(data) == len(sent(RawTable("A", 3))) + 2 * (33 + 1953 + 8 + 65 + 3310 + 1)
    assert data[: 4 + 5 + 3 * 205][9:] == sent(RawTable("A", 3))[: 4 + 5 + 3 * 205][9:]
    assert has_third_key("borsh", "SyncRoutingTable", data[4:])


def test_what_sends_nothing():
    with pytest.raises(TypeError, match="sends nothing"):
        sent(RawOpen("A", 0))  # type: ignore[arg-type]


def test_names():
    assert heard_name(Disconnect()) == "Disconnect"
    assert heard_name(PeersResponse()) == "PeersResponse []"
    assert read_frames(Framer(), frame_prefix(1) + b"\x1f") == ["unreadable"]
    assert len({edge.key for edge in mesh(5, 1)}) == 10


def test_a_client_sends_once_it_is_connected_and_hears_the_end():
    world = world_of(1)
    peer = RawPeer("A", "127.9.9.9", FastKey("A"))
    peer.send(sent(RawBytes("A", b"\x63")))
    world.network.connect(peer, world.nodes[0].address, 1.0, peer.on_open, peer.on_failed)
    world.run(30)
    assert peer.heard == ["closed"]
    peer.close()
    nobody = RawPeer("B", "127.9.9.8", FastKey("B"))
    world.network.connect(nobody, world.address(77), 1.0, nobody.on_open, nobody.on_failed)
    nobody.close()
    world.run(2)
    assert nobody.heard == ["refused"]
