"""nearnet run: one node in the foreground."""

# Without postponed annotations, as typer reads them (see `app.py`).
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nearnet.cli.options import HomeOption, SetOption, load_home, store_location
from nearnet.cli.output import warn

__all__ = ["run"]


def run(
    home: HomeOption = None,
    network_addr: Annotated[
        str | None, typer.Option("--network-addr", help='IP:PORT to listen on; "" for none.')
    ] = None,
    boot_nodes: Annotated[str | None, typer.Option("--boot-nodes", help="KEY@HOST:PORT, comma separated.")] = None,
    rpc_addr: Annotated[str | None, typer.Option("--rpc-addr", help='IP:PORT of the RPC; "" for none.')] = None,
    dialect: Annotated[
        Literal["auto", "borsh", "protobuf"] | None, typer.Option("--dialect", help="What to speak when dialling.")
    ] = None,
    store: Annotated[str | None, typer.Option("--store", help="memory, or the database's path.")] = None,
    settings: SetOption = None,
    log_format: Annotated[Literal["text", "json"], typer.Option("--log-format", help="Of the log.")] = "text",
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "info",
    min_peers: Annotated[
        int, typer.Option("--min-peers", min=0, help="Tell the client it is ready only with so many peers.")
    ] = 0,
    reset_peer_store: Annotated[
        bool, typer.Option("--reset-peer-store", help="Move the database aside and begin with an empty one.")
    ] = False,
) -> None:
    """Run one node until it is told to stop. One line on stdout says that it listens; the log goes to stderr.

    Example: nearnet run --home ~/.nearnet --network-addr 0.0.0.0:24567
    """
    flags = {
        "network.addr": (network_addr, "--network-addr"),
        "network.boot_nodes": (boot_nodes, "--boot-nodes"),
        "rpc.addr": (rpc_addr, "--rpc-addr"),
        "nearnet.dialect": (dialect, "--dialect"),
        "nearnet.store": (store, "--store"),
    }
    told: list[str | tuple[str, Any, str]] = [
        (path, value, flag) for path, (value, flag) in flags.items() if value is not None
    ]
    found, loaded = load_home(home, [*(settings or ()), *told])
    for warning in loaded.warnings:
        warn(warning)
    from nearnet.tools.daemon import Daemon, RunOptions

    options = RunOptions(
        store=Path(location) if (location := store_location(found, loaded)) != "memory" else "memory",
        reset_store=reset_peer_store,
        min_peers=min_peers,
        log_level=log_level,
        log_format=log_format,
    )

    def started(event: dict[str, Any]) -> None:
        if log_format == "json":
            print(json.dumps(event), flush=True)
            return
        rpc = event["rpc_addr"] or "nowhere"
        print(f"{event['peer_id']} listens on {event['addr'] or 'no port'}, its RPC on {rpc}", flush=True)

    Daemon(found, loaded.config, options).run(started)
