"""The verbs that ask and command a running node, against real nodes."""

import asyncio
import contextlib
import json
import socket
import threading
import time

import pytest
from network.raw_peer import RawPeer, Target
from served_node import ServedNode

from nearnet.cli import main, remote
from nearnet.config.values import parse_socket
from nearnet.keys import CryptoHash, PeerId
from nearnet.wire.messages import GenesisId

STRANGER = "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Two nodes that are connected."""
    folder = tmp_path_factory.mktemp("homes")
    with ServedNode(folder / "a") as a, ServedNode(folder / "b") as b:
        with contextlib.redirect_stdout(None):
            assert main(["connect", b.peer, "--home", a.home, "--rpc-addr", a.rpc_addr]) == 0
        yield a, b


def told(capsys, *words):
    """The document that a verb prints with --json."""
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_json_is_the_result_unchanged(nodes, capsys):
    a, b = nodes
    at = ["--rpc-addr", a.rpc_addr]
    assert told(capsys, "status", *at)["node_public_key"] == a.peer_id
    (peer,) = told(capsys, "peers", *at)
    assert (peer["peer_id"], peer["direction"], peer["dialect"]) == (b.peer_id, "outbound", "borsh")
    (edge,) = told(capsys, "edges", *at)
    assert {edge["peer0"], edge["peer1"]} == {a.peer_id, b.peer_id}
    assert edge["active"] is True
    until(lambda: told(capsys, "routes", *at) == {b.peer_id: {"distance": 1, "next_hops": [b.peer_id]}})
    assert told(capsys, "routes", b.peer, *at) == {b.peer_id: {"distance": 1, "next_hops": [b.peer_id]}}
    assert told(capsys, "accounts", *at) == []
    assert told(capsys, "bans", *at) == []
    (known,) = told(capsys, "known", *at)
    assert (known["peer_id"], known["status"], known["trust"]) == (b.peer_id, "Connected", "Signed")


def test_status_warns_in_a_line(nodes, capsys):
    a, _ = nodes
    genesis = GenesisId("test", CryptoHash(bytes(32)))
    status = ["status", "--rpc-addr", a.rpc_addr]
    key, _, addr = a.peer.partition("@")
    assert main(status) == 0
    assert "warning:" not in capsys.readouterr().out

    async def beside_a_newer_peer():
        target = Target(PeerId.from_text(key), parse_socket(addr), genesis)
        nonce = int(time.time()) - 400 | 1
        async with (
            await RawPeer.ready(target, "newer", "protobuf", version=120, nonce=nonce),
            await RawPeer.ready(target, "another", "protobuf", nonce=nonce),
        ):
            assert await asyncio.to_thread(main, status) == 0

    asyncio.run(beside_a_newer_peer())
    out = capsys.readouterr().out
    assert "warning:     a connected peer announced protocol version 120, above our own 88: upgrade nearnet" in out
    assert "clock:       our clock is " in out


def test_who_has_no_way_to_a_named_peer_says_so(nodes, capsys):
    a, _ = nodes
    for words in (["--json"], []):
        assert main(["routes", STRANGER, "--rpc-addr", a.rpc_addr, *words]) == 1
        out, err = capsys.readouterr()
        assert out == ("{}\n" if words else "")
        assert f"no way is known to {STRANGER}" in err


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("status", ["peer id", "chain", "connections"]),
        ("peers", ["peer_id", "outbound"]),
        ("edges", ["peer0", "yes"]),
        ("routes", ["next_hops"]),
        ("accounts", ["account_id"]),
        ("bans", ["reason"]),
        ("known", ["Connected"]),
    ],
)
def test_words_for_people(nodes, capsys, verb, words):
    a, _ = nodes
    assert main([verb, "--rpc-addr", a.rpc_addr]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in words)


def test_commands(nodes, capsys):
    a, b = nodes
    at = ["--home", a.home, "--rpc-addr", a.rpc_addr]
    assert told(capsys, "connect", b.peer, *at) == {"ok": True}
    assert main(["disconnect", b.peer, *at]) == 0
    assert capsys.readouterr().out == f"disconnected from {b.peer_id}\n"
    assert main(["disconnect", b.peer_id, *at]) == 1
    assert f"{b.peer_id} is not connected" in capsys.readouterr().err
    before = int(time.time())  # The answer is in whole seconds.
    assert told(capsys, "ban", b.peer_id, "--reason", "abusive", "--for", "3h", *at) == {"ok": True}
    after = time.time()
    (ban,) = told(capsys, "bans", *at)
    assert (ban["peer_id"], ban["reason"]) == (b.peer_id, "Abusive")
    assert before <= ban["until"] - 3 * 3600 <= after
    assert main(["connect", b.peer, *at]) == 1
    assert "is banned here" in capsys.readouterr().err
    assert told(capsys, "unban", b.peer_id, *at) == {"ok": True}
    assert main(["unban", b.peer_id, *at]) == 1
    assert "is not banned" in capsys.readouterr().err
    assert told(capsys, "ban", STRANGER, *at) == {"ok": True}
    assert told(capsys, "unban", STRANGER, *at) == {"ok": True}
    assert told(capsys, "connect", b.peer, *at) == {"ok": True}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["connect", "nonsense"], "nonsense"),
        (["ban", STRANGER, "--for", "soon"], "--for: expected a duration"),
        (["ban", STRANGER, "--reason", "Because"], "'Because' is no reason for a ban"),
        (["connect", STRANGER], f"no address is known for {STRANGER}"),
        (["connect", f"{STRANGER}@No Account"], "neither HOST:PORT nor an account id"),
    ],
)
def test_wrong_words_are_2(nodes, capsys, words, sentence):
    a, _ = nodes
    assert main([*words, "--home", a.home, "--rpc-addr", a.rpc_addr]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


def test_an_unreachable_peer_is_1(nodes, capsys):
    a, _ = nodes
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        peer = f"{STRANGER}@127.0.0.1:{bound.getsockname()[1]}"
        assert main(["connect", peer, "--home", a.home, "--rpc-addr", a.rpc_addr]) == 1
    assert f"no connection to {STRANGER}: " in capsys.readouterr().err


def test_another_nodes_token_is_refused(nodes, capsys):
    a, b = nodes
    assert main(["disconnect", b.peer_id, "--home", b.home, "--rpc-addr", a.rpc_addr]) == 2
    assert "takes another admin token" in capsys.readouterr().err


def test_the_token_comes_from_a_home(nodes, capsys, tmp_path):
    a, b = nodes
    assert main(["disconnect", b.peer_id, "--home", str(tmp_path / "none"), "--rpc-addr", a.rpc_addr]) == 2
    assert "run nearnet init" in capsys.readouterr().err


def test_the_address_comes_from_the_config(nodes, capsys, tmp_path, monkeypatch):
    a, _ = nodes
    monkeypatch.setenv("NEARNET_HOME", str(tmp_path))
    config = {"chain_id": "test", "rpc": {"addr": "0.0.0.0:" + a.rpc_addr.rpartition(":")[2]}, "nearnet": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert told(capsys, "status")["node_public_key"] == a.peer_id
    for addr in ("", "127.0.0.1:0"):
        (tmp_path / "config.json").write_text(json.dumps({**config, "rpc": {"addr": addr}}))
        assert main(["status"]) == 2
        assert "names no port for the RPC" in capsys.readouterr().err


def test_no_node_is_1(capsys):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert main(["status", "--rpc-addr", f"127.0.0.1:{bound.getsockname()[1]}"]) == 1
    err = capsys.readouterr().err
    assert "no node answers at" in err
    assert "nearnet run" in err


def test_the_default_address(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("NEARNET_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("nearnet.tools.rpc_client.RpcClient.call", lambda client, method: {"asked": client.address})
    assert told(capsys, "status") == {"asked": "127.0.0.1:3030"}


def test_help_shows_an_example(capsys):
    for verb in remote.__all__:
        assert main([verb, "--help"]) == 0
        assert f"Example: nearnet {verb}" in capsys.readouterr().out


def test_a_hostile_answer_steers_no_terminal(capsys):
    """Who sits at that address may be anybody."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            rows = [{"account_id": "\x1b[2Jevil", "peer_id": "x", "epoch_id": "y"}]
            body = json.dumps({"jsonrpc": "2.0", "result": rows, "id": 1}).encode()
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    thread = threading.Thread(target=answer)
    thread.start()
    assert main(["accounts", "--rpc-addr", f"127.0.0.1:{listener.getsockname()[1]}"]) == 0
    thread.join()
    listener.close()
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "evil" in out
