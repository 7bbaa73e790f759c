"""nearnet keys: show, make and check keys."""

# Without postponed annotations, as typer reads them (see `app.py`).
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from nearnet.cli.app import new_app
from nearnet.cli.options import HomeOption, JsonOption, home_path
from nearnet.cli.output import print_json
from nearnet.errors import BadKey, ConfigError
from nearnet.home import read_key, write_key
from nearnet.keys import PublicKey, SecretKey, Signature, check_signature, is_ml_dsa, ml_dsa_check

__all__ = ["app", "from_seed", "generate", "show", "verify"]

app = new_app("Keys: of this node, new ones, and whether a signature holds.")

_KeyType = Annotated[Literal["ed25519", "secp256k1"], typer.Option("--key-type", help="Which curve.")]
_Account = Annotated[str, typer.Option("--account-id", help="The account in the key file.")]
_Out = Annotated[
    Path | None, typer.Option("--out", help="Write a key file (0600) instead of printing the secret.", metavar="FILE")
]
_T = TypeVar("_T", PublicKey, Signature)


@app.command()
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The node's public key, which is its peer id; never the secret.

    Example: nearnet keys show --home ~/.nearnet
    """
    node_key = read_key(home_path(home) / "node_key.json")
    if as_json:
        print_json({"account_id": node_key.account_id, "public_key": str(node_key.key.public_key)})
    else:
        print(node_key.key.public_key)


@app.command()
def generate(
    key_type: _KeyType = "ed25519", account_id: _Account = "node", out: _Out = None, as_json: JsonOption = False
) -> None:
    """A new key, printed with its secret unless --out says where to keep it.

    Example: nearnet keys generate --key-type secp256k1 --out node_key.json
    """
    _give(SecretKey.generate(key_type), account_id, out, as_json)


@app.command("from-seed")
def from_seed(
    text: Annotated[str, typer.Argument(help="The seed.")],
    key_type: _KeyType = "ed25519",
    account_id: _Account = "node",
    out: _Out = None,
    as_json: JsonOption = False,
) -> None:
    """A test key: always the same one for a text. Whoever knows the text has the key.

    Example: nearnet keys from-seed node0
    """
    _give(SecretKey.from_seed(text, key_type), account_id, out, as_json)


def _give(key: SecretKey, account_id: str, out: Path | None, as_json: bool) -> None:
    fields = {"account_id": account_id, "public_key": str(key.public_key)}
    if out is not None:
        write_key(out, key, account_id)
    else:
        fields["secret_key"] = key.text
    if as_json:
        print_json(fields)
    else:
        for name, value in fields.items():
            print(f"{name}: {value}")


@app.command()
def verify(
    public_key: Annotated[str, typer.Argument(help="Text, or borsh in hex.")],
    signature: Annotated[str, typer.Argument(help="Text, or borsh in hex.")],
    message_hex: Annotated[str, typer.Argument(help="What is signed, as it is (secp256k1: exactly 32 bytes).")],
    as_json: JsonOption = False,
) -> None:
    """Whether a signature holds: prints true or false. Exit code 2 when a text or a length is wrong.

    Example: nearnet keys verify ed25519:7PGs.. ed25519:3s1.. 68656c6c6f
    """
    key = _read(PublicKey, public_key)
    signed = _read(Signature, signature)
    try:
        message = bytes.fromhex(message_hex)
    except ValueError:
        raise BadKey(f"the message {message_hex[:40]!r} is not hex") from None
    if "secp256k1" in (key.key_type, signed.key_type) and len(message) != 32:
        raise BadKey(f"secp256k1 signs exactly 32 bytes; this message has {len(message)}")
    if is_ml_dsa(key) and ml_dsa_check() is None:
        raise ConfigError("cannot verify an ml-dsa-65 signature: pip install 'nearnet[mldsa]'")
    valid = check_signature(key, signed, message) == "valid"
    if as_json:
        print_json({"valid": valid})
    else:
        print(str(valid).lower())


def _read(kind: type[_T], text: str) -> _T:
    """From text, else from borsh in hex: 33 bytes or more, so that no key's base58 is taken for hex."""
    try:
        data = bytes.fromhex(text) if len(text) >= 66 else None
    except ValueError:
        data = None
    return kind.from_text(text) if data is None else kind.from_bytes(data)
