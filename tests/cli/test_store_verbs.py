"""nearnet store."""

import json
import sqlite3

import pytest

from nearnet.cli import main
from nearnet.core.runtime.actions import Write
from nearnet.keys import CryptoHash, SecretKey
from nearnet.store.base import ADDRESS_VERSION, COMPONENT_EDGES, PEER_DIALECT
from nearnet.store.sqlite import SqliteStore
from nearnet.wire.messages import GenesisId

PEER = SecretKey.from_seed("node0").public_key


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data" / "nearnet.sqlite"
    assert main(["init", "--home", str(tmp_path), "--chain-id", "x"]) == 0
    store = SqliteStore(path, GenesisId("x", CryptoHash(bytes(32))))
    store.commit(
        [
            Write(PEER_DIALECT, PEER, b"borsh"),
            Write(COMPONENT_EDGES, bytes(8), bytes(4)),
            Write(ADDRESS_VERSION, b"boot.near.org:24567", b"\x78\0\0\0"),
        ]
    )
    store.close()
    return path


def change(path, statement):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


def test_check(path, tmp_path, capsys):
    capsys.readouterr()
    assert main(["store", "check", "--home", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("PeerDialect: 1 rows\nAddressVersion: 1 rows\nok\n")
    assert main(["store", "check", "--store", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert told["rows"]["ComponentEdges"] == 1


def test_check_finds_damage(path, capsys):
    change(path, "UPDATE ComponentEdges SET value = x'00'")
    capsys.readouterr()
    assert main(["store", "check", "--store", str(path)]) == 1
    text, err = capsys.readouterr()
    assert "--reset-peer-store" in text
    assert "ComponentEdges: 1 of 1 rows have a wrong checksum" in err


def test_check_finds_rows_that_do_not_decode(path, capsys):
    store = SqliteStore(path)
    store.commit([Write(COMPONENT_EDGES, bytes(8), b"\xff")])
    store.close()
    capsys.readouterr()
    assert main(["store", "check", "--store", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert "does not decode" in told["wrong"][0]
    assert main(["store", "dump", "ComponentEdges", "--store", str(path)]) == 1
    assert "does not decode" in capsys.readouterr().err


def test_dump(path, capsys):
    capsys.readouterr()
    assert main(["store", "dump", "peerdialect", "--store", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == {"peer_id": str(PEER), "dialect": "borsh"}
    assert main(["store", "dump", "AddressVersion", "--store", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == {"address": "boot.near.org:24567", "protocol_version": 120}
    assert main(["store", "dump", "Peers", "--store", str(path), "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["store", "dump", "Nothing", "--store", str(path)]) == 2
    assert "it has Peers, " in capsys.readouterr().err


def test_compact(path, capsys):
    capsys.readouterr()
    assert main(["store", "compact", "--store", str(path)]) == 0
    assert "bytes before" in capsys.readouterr().out
    assert main(["store", "compact", "--store", str(path), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"before_bytes", "after_bytes"}


def test_no_file(path, tmp_path, capsys, monkeypatch):
    assert main(["store", "check", "--store", str(tmp_path / "none")]) == 1
    assert "does not exist" in capsys.readouterr().err
    monkeypatch.setenv("NEARNET_NEARNET__STORE", "memory")
    assert main(["store", "check", "--home", str(tmp_path)]) == 2
    assert "in memory" in capsys.readouterr().err
