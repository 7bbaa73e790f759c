"""nearnet keys."""

import json

import pytest
from ml_dsa_keys import MlDsaKey, verifying

from nearnet.cli import main
from nearnet.keys import PublicKey, SecretKey

KEY = SecretKey.from_seed("node0")
COIN = SecretKey.from_seed("node0", "secp256k1")
DIGEST = bytes(range(32))


def verify(capsys, key, signature, message):
    code = main(["keys", "verify", key, signature, message])
    return code, capsys.readouterr().out.strip()


def test_show(tmp_path, capsys):
    path = tmp_path / "node_key.json"
    assert main(["keys", "from-seed", "node0", "--account-id", "a.near", "--out", str(path)]) == 0
    text = capsys.readouterr().out
    assert KEY.text not in text
    assert main(["keys", "show", "--home", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{KEY.public_key}\n"
    assert main(["keys", "show", "--home", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"account_id": "a.near", "public_key": str(KEY.public_key)}
    path.chmod(0o644)
    assert main(["keys", "show", "--home", str(tmp_path)]) == 2
    assert "chmod 600" in capsys.readouterr().err


def test_from_seed_and_generate(capsys):
    assert main(["keys", "from-seed", "node1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["public_key"] == "ed25519:6DSjZ8mvsRZDvFqFxo8tCKePG96omXW7eVYVSySmDk8e"
    assert SecretKey.from_text(told["secret_key"]).public_key == PublicKey.from_text(told["public_key"])
    assert main(["keys", "generate", "--key-type", "secp256k1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["account_id", "public_key", "secret_key"]
    assert lines[1].startswith("public_key: secp256k1:")


@pytest.mark.parametrize("key", [KEY, COIN], ids=["ed25519", "secp256k1"])
def test_verify_text_and_hex(key, capsys):
    signature = key.sign(DIGEST)
    for public_text in (str(key.public_key), key.public_key.hex()):
        for signature_text in (str(signature), signature.hex()):
            assert verify(capsys, public_text, signature_text, DIGEST.hex()) == (0, "true")
            assert verify(capsys, public_text, signature_text, bytes(32).hex()) == (0, "false")
    assert main(["keys", "verify", str(key.public_key), str(signature), DIGEST.hex(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"valid": True}


def test_verify_signs_what_it_is_given(capsys):
    for message in (b"", b"hello", bytes(1000)):
        assert verify(capsys, str(KEY.public_key), str(KEY.sign(message)), message.hex()) == (0, "true")
    assert verify(capsys, str(KEY.public_key), str(COIN.sign(DIGEST)), DIGEST.hex()) == (0, "false")


def test_verify_refuses_what_is_no_key_or_signature(capsys):
    key, signature = str(KEY.public_key), KEY.sign(DIGEST)
    top_bits = bytes([*signature[:64], signature[64] | 0x80])
    for words in (
        ["zz", str(signature), DIGEST.hex()],
        [key[:-3], str(signature), DIGEST.hex()],
        [key, str(signature)[:-3], DIGEST.hex()],
        [key, signature.hex()[:-2], DIGEST.hex()],
        [key, top_bits.hex(), DIGEST.hex()],
        [key, str(signature), "hello"],
        [str(COIN.public_key), str(COIN.sign(DIGEST)), "00"],
    ):
        assert main(["keys", "verify", *words]) == 2
        text, err = capsys.readouterr()
        assert text == ""
        assert err.startswith("nearnet: ")


def test_verify_ml_dsa(capsys):
    key = MlDsaKey("a")
    public, signature = key.public_key, key.sign(DIGEST)
    for texts in ((str(public), str(signature)), (public.hex(), signature.hex())):
        assert verify(capsys, *texts, DIGEST.hex()) == (0, "true")
        assert verify(capsys, *texts, bytes(32).hex()) == (0, "false")
        with verifying(None):
            assert main(["keys", "verify", *texts, DIGEST.hex()]) == 2
        assert "pip install 'nearnet[mldsa]'" in capsys.readouterr().err
    assert verify(capsys, str(KEY.public_key), str(signature), DIGEST.hex()) == (0, "false")
    assert verify(capsys, str(public), str(KEY.sign(DIGEST)), DIGEST.hex()) == (0, "false")
    assert main(["keys", "verify", str(public)[:-3], str(signature), DIGEST.hex()]) == 2
