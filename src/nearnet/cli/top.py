"""nearnet top: a running node in the terminal."""

# Without postponed annotations, as typer reads them (see `app.py`).
import itertools
import sys
import time
from typing import Annotated

import typer

from nearnet.cli.options import HomeOption, JsonOption
from nearnet.cli.output import print_json
from nearnet.cli.running_node import RpcOption, rpc_client
from nearnet.errors import ConfigError
from nearnet.tools.top import Snapshot

__all__ = ["top"]


def top(
    rpc_addr: RpcOption = None,
    home: HomeOption = None,
    interval: Annotated[float, typer.Option("--interval", help="Between two looks.", min=0.1, metavar="SECONDS")] = 2.0,
    count: Annotated[int, typer.Option("--count", help="Looks with --json; 0 until Ctrl-C.", min=0, metavar="N")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Peers, traffic, graph and events of a running node, anew every few seconds. Needs nearnet[top].

    Keys: 1 to 4 choose a view, s sorts by traffic, p pauses, q ends. With --json one document a look instead.

    Example: nearnet top --rpc-addr 127.0.0.1:3030
    """
    rpc = rpc_client(rpc_addr, home)
    if as_json:
        for number in itertools.count(1):
            print_json(Snapshot.ask(rpc).as_dict())
            if number == count:
                return
            time.sleep(interval)
    if not sys.stdout.isatty():
        raise ConfigError("nearnet top draws on a terminal; use --json elsewhere")
    try:
        from nearnet.tools.top.view import TopApp
    except ImportError:
        raise ConfigError("nearnet top needs textual; install it with: pip install 'nearnet[top]'") from None
    Snapshot.ask(rpc)  # A node that is not there is a sentence, not an empty screen.
    TopApp(rpc, interval).run()
