"""Which running node a verb talks to: `--rpc-addr`, else what the home's config says."""

# Without postponed annotations, as typer reads them (see `app.py`).
from pathlib import Path
from typing import Annotated

import typer

from nearnet.cli.options import home_path, load_home
from nearnet.errors import ConfigError
from nearnet.home import Home
from nearnet.tools.rpc_client import RpcClient

__all__ = ["RpcOption", "rpc_client"]

RpcOption = Annotated[
    str | None, typer.Option("--rpc-addr", help="Where the node's RPC listens; as its config says.", metavar="IP:PORT")
]


def rpc_client(rpc_addr: str | None, home: Path | None, admin: bool = False) -> RpcClient:
    """The RPC of the node that the options name; with the home's admin token for what changes a node."""
    folder = home_path(home)
    token = Home.open(folder).admin_token() if admin else None
    return RpcClient(_address(folder) if rpc_addr is None else rpc_addr, token)


def _address(folder: Path) -> str:
    """Where the RPC of that home's node listens; the default's when there is no such home."""
    if not (folder / "config.json").exists():
        return "127.0.0.1:3030"
    address = load_home(folder)[1].config.rpc.addr
    if not address or address.endswith(":0"):
        raise ConfigError(f"{folder / 'config.json'} names no port for the RPC; tell it: --rpc-addr IP:PORT")
    return address
