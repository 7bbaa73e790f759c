"""nearnet run: one node in the foreground."""

# Without postponed annotations, as typer reads them (see `app.py`).
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from nearnet.cli.options import HomeOption, SetOption, load_home, store_location
from nearnet.cli.output import warn
from nearnet.config import LoadedConfig, NetworkConfig
from nearnet.home import Home

__all__ = ["run"]


_NetworkAddr = Annotated[str | None, typer.Option("--network-addr", help='IP:PORT to listen on; "" for none.')]
_BootNodes = Annotated[str | None, typer.Option("--boot-nodes", help="KEY@HOST:PORT, comma separated.")]
_RpcAddr = Annotated[str | None, typer.Option("--rpc-addr", help='IP:PORT of the RPC; "" for none.')]
_DialectOption = Annotated[
    Literal["auto", "borsh", "protobuf"] | None, typer.Option("--dialect", help="What to speak when dialing.")
]
_StoreOption = Annotated[str | None, typer.Option("--store", help="memory, or the database's path.")]
_LogFormat = Annotated[
    Literal["text", "json"] | None, typer.Option("--log-format", help="Of the log, and of the line on stdout.")
]
_LogLevel = Annotated[str | None, typer.Option("--log-level", help="debug, info, warning or error.")]
_GenesisHash = Annotated[
    str | None, typer.Option("--genesis-hash", help="In base58; for the home of a reference node, which lacks it.")
]
_MinPeers = Annotated[
    int | None, typer.Option("--min-peers", help="Tell the client it is ready only with so many peers.")
]
_Reset = Annotated[
    bool, typer.Option("--reset-peer-store", help="Move the database aside and begin with an empty one.")
]
_StopWithStdin = Annotated[
    bool,
    typer.Option("--stop-with-stdin", help="Stop when stdin ends: with the program that started it."),
]


def run(
    home: HomeOption = None,
    network_addr: _NetworkAddr = None,
    boot_nodes: _BootNodes = None,
    rpc_addr: _RpcAddr = None,
    dialect: _DialectOption = None,
    store: _StoreOption = None,
    settings: SetOption = None,
    log_format: _LogFormat = None,
    log_level: _LogLevel = None,
    min_peers: _MinPeers = None,
    genesis_hash: _GenesisHash = None,
    reset_peer_store: _Reset = False,
    stop_with_stdin: _StopWithStdin = False,
) -> None:
    """Run one node until it is told to stop. One line on stdout says that it listens; the log goes to stderr.

    Example: nearnet run --home ~/.nearnet --network-addr 0.0.0.0:24567
    """
    flags = {
        "genesis_hash": (genesis_hash, "--genesis-hash"),
        "network.addr": (network_addr, "--network-addr"),
        "network.boot_nodes": (boot_nodes, "--boot-nodes"),
        "rpc.addr": (rpc_addr, "--rpc-addr"),
        "nearnet.dialect": (dialect, "--dialect"),
        "nearnet.store": (store, "--store"),
        "nearnet.log_format": (log_format, "--log-format"),
        "nearnet.log_level": (log_level, "--log-level"),
        "nearnet.min_peers": (min_peers, "--min-peers"),
    }
    told: list[str | tuple[str, Any, str]] = list(settings or ())
    told += [(path, value, flag) for path, (value, flag) in flags.items() if value is not None]
    found, loaded = load_home(home, told)
    _run(found, loaded, lambda: load_home(home, told)[1].config, reset_peer_store, stop_with_stdin)


def _run(home: Home, loaded: LoadedConfig, reload: Callable[[], NetworkConfig], reset: bool, with_stdin: bool) -> None:
    from nearnet.tools.daemon import Daemon

    config, store = loaded.config, store_location(home, loaded)
    logged = loaded.warnings if config.nearnet.log_format == "json" else ()  # For machines: lines of JSON, no other.
    for warning in () if logged else loaded.warnings:
        warn(warning)
    daemon = Daemon(home, config, store, reset_store=reset, stop_with_stdin=with_stdin, warnings=logged, reload=reload)
    daemon.run(lambda event: _started(event, config.nearnet.log_format))


def _started(event: dict[str, Any], form: str) -> None:
    if form == "json":
        print(json.dumps(event), flush=True)
        return
    rpc = event["rpc_addr"] or "nowhere"
    print(f"{event['peer_id']} listens on {event['addr'] or 'no port'}, its RPC on {rpc}", flush=True)
