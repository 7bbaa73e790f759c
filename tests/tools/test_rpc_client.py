"""What a verb is told when who answers is no node."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nearnet.errors import ConfigError
from nearnet.tools import rpc_client
from nearnet.tools.rpc_client import NodeUnreachable, RpcClient, RpcFailed


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """An address where one request is taken and answered with these bytes; None: with silence."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked_for = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as request:
            length = 0
            while line := request.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            # All of it: to close on what was not read would cut our answer off.
            request.read(length)
            if answer is None:
                asked_for.wait()
            else:
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        asked_for.set()
        thread.join()
        listener.close()


def http(body: object, status: int = 200) -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(text)) + text


def failed(code: int, data: object, status: int = 200) -> bytes:
    return http({"jsonrpc": "2.0", "error": {"code": code, "data": data}, "id": 1}, status)


@pytest.mark.parametrize("result", [None, [], {"ok": True}])
def test_a_result(result: object) -> None:
    with answering(http({"jsonrpc": "2.0", "result": result, "id": 1})) as address:
        assert RpcClient(address).call("x") == result


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (failed(-32700, "ttl: too small"), ConfigError, "ttl: too small"),
        (failed(-32000, "not connected"), RpcFailed, "not connected"),
        (failed(-32000, "this Host is not served", 403), RpcFailed, "refused: this Host is not served"),
        (failed(-32700, "too large", 413), RpcFailed, "refused: too large"),
        (failed(-32601, "x", 400), RpcFailed, "knows no x: it is no nearnet, or of another version"),
        (http({"error": "no"}, 401), ConfigError, "takes another admin token"),
        (http(b"<html>"), NodeUnreachable, "is no node's RPC"),
        (http({}), NodeUnreachable, "is no node's RPC"),
        (http([]), NodeUnreachable, "is no node's RPC"),
        (failed(-32000, {})[:-20], NodeUnreachable, "is no node's RPC"),
        (b"SSH-2.0-x\r\n", NodeUnreachable, "is no node's RPC"),
        (b"", NodeUnreachable, "no node"),
    ],
)
def test_what_is_wrong_is_said(answer: bytes, error: type[Exception], words: str) -> None:
    with answering(answer) as address, pytest.raises(error, match=words):
        RpcClient(address).call("x")


def test_every_interface_is_asked_on_this_machines_own() -> None:
    with answering(http({"jsonrpc": "2.0", "result": 7, "id": 1})) as address:
        client = RpcClient(address.replace("127.0.0.1", "0.0.0.0"))
        assert client.call("x") == 7
        assert client._place[0] == "127.0.0.1"
    assert RpcClient("[::]:1")._place == ("::1", 1)


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_client, "_ANSWER_TIME", 0.05)
    with answering(None) as address, pytest.raises(NodeUnreachable, match="does not answer within"):
        RpcClient(address).call("x")


@pytest.mark.parametrize("address", ["", "3030", ":3030", "localhost", "localhost:", "localhost:x", "localhost:65536"])
def test_no_address(address: str) -> None:
    with pytest.raises(ConfigError, match="is not IP:PORT"):
        RpcClient(address)
