"""nearnet init: a home folder."""

# Without postponed annotations, as typer reads them (see `app.py`).
import json
from typing import Annotated, Any, Literal

import typer

from nearnet.cli.options import HomeOption, JsonOption, home_path
from nearnet.cli.output import print_json
from nearnet.config import config_from
from nearnet.errors import ConfigError
from nearnet.home import Home, is_reference_home, read_key, write_key
from nearnet.keys import SecretKey
from nearnet.wire.account_id import valid_account_id

__all__ = ["init"]


def init(
    chain_id: Annotated[str, typer.Option("--chain-id", help="mainnet, testnet, or a name of your own.")],
    home: HomeOption = None,
    genesis_hash: Annotated[
        str | None, typer.Option("--genesis-hash", help="In base58; 32 zero bytes unless known.")
    ] = None,
    head_height: Annotated[int, typer.Option("--head-height", help="The height told in handshakes.")] = 0,
    account_id: Annotated[str, typer.Option("--account-id", help="The account in the key file.")] = "node",
    boot_nodes: Annotated[str | None, typer.Option("--boot-nodes", help="KEY@HOST:PORT, comma separated.")] = None,
    network_addr: Annotated[
        str | None, typer.Option("--network-addr", help='IP:PORT to listen on; "" for none.')
    ] = None,
    rpc_addr: Annotated[str | None, typer.Option("--rpc-addr", help='IP:PORT of the RPC; "" for none.')] = None,
    key_type: Annotated[Literal["ed25519", "secp256k1"], typer.Option("--key-type", help="Which curve.")] = "ed25519",
    test_seed: Annotated[
        str | None, typer.Option("--test-seed", help="Make the key from this text, for tests.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a home folder: config.json, node_key.json, admin_token, data/. What exists already is kept.

    Example: nearnet init --home ~/.nearnet --chain-id testnet
    """
    path = home_path(home)
    data = _config(chain_id, genesis_hash, head_height, boot_nodes, network_addr, rpc_addr)
    if not valid_account_id(account_id):
        raise ConfigError(f"{account_id!r} is no account id")
    if is_reference_home(path):
        raise ConfigError(f"{path} is a reference node's home, which nearnet reads and never writes: run nearnet run")
    target = Home(path, path)
    files = (target.config_path, target.key_path, target.token_path)
    kept = [file.name for file in files if file.exists()]
    target.prepare()
    if not target.config_path.exists():
        target.config_path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    if not target.key_path.exists():
        key = SecretKey.generate(key_type) if test_seed is None else SecretKey.from_seed(test_seed, key_type)
        write_key(target.key_path, key, account_id)
    peer_id = str(read_key(target.key_path).key.public_key)
    written = [file.name for file in files if file.name not in kept]
    if as_json:
        print_json({"home": str(path), "peer_id": peer_id, "written": written, "kept": kept})
        return
    print(f"{path}: {_list('wrote', written)}{_list('kept', kept)}the peer id is {peer_id}")


def _list(word: str, names: list[str]) -> str:
    return f"{word} {', '.join(names)}; " if names else ""


def _config(
    chain_id: str,
    genesis_hash: str | None,
    head_height: int,
    boot_nodes: str | None,
    network_addr: str | None,
    rpc_addr: str | None,
) -> dict[str, Any]:
    """What config.json will hold, checked: only what is told, so that the defaults stay free to fit."""
    data: dict[str, Any] = {"chain_id": chain_id}
    if genesis_hash is not None:
        data["genesis_hash"] = genesis_hash
    data["genesis_hash"] = str(config_from(data).genesis_hash)
    data |= {"head_height": head_height, "tracked_shards": [], "archive": False}
    data["rpc"] = {} if rpc_addr is None else {"addr": rpc_addr}
    data["network"] = {"boot_nodes": boot_nodes or ""}
    if network_addr is not None:
        data["network"]["addr"] = network_addr
    data["nearnet"] = {}
    config_from(data)
    return data
