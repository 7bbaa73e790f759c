"""nearnet localnet: a network of real nodes on this machine, told as it forms."""

# Without postponed annotations, as typer reads them (see `app.py`).
import signal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nearnet.cli.localnet_words import Words
from nearnet.cli.options import JsonOption
from nearnet.cli.output import print_json
from nearnet.tools.localnet import Plan, local_network

__all__ = ["localnet"]


def localnet(
    nodes: Annotated[int, typer.Option("-v", "--nodes", help="How many.", metavar="N")] = 5,
    topology: Annotated[
        Literal["mesh", "ring", "line", "star", "random"], typer.Option("--topology", help="Who is linked to whom.")
    ] = "line",
    dialect: Annotated[
        Literal["borsh", "protobuf", "mixed"], typer.Option("--dialect", help="What they speak when they dial.")
    ] = "borsh",
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Keep homes, keys and stores here; a temporary folder unless told.", metavar="DIR"),
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", help="Stop so long after the ping.", min=0, metavar="SECONDS")
    ] = None,
    key_type: Annotated[
        Literal["mixed", "ed25519", "secp256k1"], typer.Option("--key-type", help="Which curves.")
    ] = "mixed",
    base_port: Annotated[
        int, typer.Option("--base-port", help="The first p2p port; the first RPC port is 1000 higher.", metavar="PORT")
    ] = 24577,
    as_json: JsonOption = False,
) -> None:
    """Run a network of real nodes on this machine: they connect, the edges spread, then a ping crosses it.

    Each is a process of its own with home, key, store and ports. Ctrl-C stops all.

    Example: nearnet localnet --nodes 8 --topology ring
    """
    plan = Plan(nodes, topology, dialect, key_type, base_port, None if home is None else home.expanduser())
    answered = True
    _on_signals(_interrupt)
    try:
        with local_network(plan, print_json if as_json else Words().tell) as network:
            network.start()
            network.form()
            answered = network.ping()
            if answered and duration != 0:
                network.watch(duration)
            _on_signals(signal.SIG_IGN)
    except KeyboardInterrupt:
        pass  # That is how it ends when nobody gave a duration.
    if not answered:
        raise typer.Exit(1)


def _interrupt(*_: Any) -> None:
    """Once only: a second Ctrl-C shall not leave nodes behind that the first one is stopping."""
    _on_signals(signal.SIG_IGN)
    raise KeyboardInterrupt


def _on_signals(handler: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)
