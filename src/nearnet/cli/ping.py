"""nearnet ping: round trips to peers, measured as a peer of its own."""

# Without postponed annotations, as typer reads them (see `app.py`).
import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nearnet.cli.options import JsonOption
from nearnet.cli.output import print_json, printable
from nearnet.config.values import parse_socket
from nearnet.errors import ConfigError
from nearnet.net.loop import run_on_best_loop
from nearnet.tools.ping import Handshaken, Pinging, PingPlan, PingResult
from nearnet.tools.ping_metrics import PingMetrics
from nearnet.tools.ping_report import LatenciesCsv, TargetStatistics

__all__ = ["ping"]


_Peers = Annotated[list[str], typer.Argument(help="KEY@HOST:PORT; KEY is enough with --via.", metavar="PEER")]
_Chain = Annotated[str, typer.Option("--chain-id", help="Of the network; as the peers have it.", metavar="ID")]
_Via = Annotated[str | None, typer.Option("--via", help="The first hop; each peer itself unless told.", metavar="PEER")]
_Genesis = Annotated[
    str | None, typer.Option("--genesis-hash", help="Known for mainnet and testnet.", metavar="BASE58")
]
_Height = Annotated[int, typer.Option("--head-height", help="The height to tell.", min=0, metavar="N")]
_Count = Annotated[int, typer.Option("--count", help="Pings of each peer; 0 until Ctrl-C.", min=0, metavar="N")]
_Interval = Annotated[float, typer.Option("--interval", help="Between two of them.", min=0.001, metavar="SECONDS")]
_Timeout = Annotated[float, typer.Option("--timeout", help="For a pong.", min=0.001, metavar="SECONDS")]
_Ttl = Annotated[int | None, typer.Option("--ttl", help="Hops that a ping may take; 100.", min=1, max=255, metavar="N")]
_Csv = Annotated[Path | None, typer.Option("--latencies-csv", help="Add each outcome to this file.", metavar="FILE")]
_Metrics = Annotated[
    str | None, typer.Option("--prometheus-addr", help="Serve near_ping_ metrics there.", metavar="IP:PORT")
]
_Handshake = Annotated[bool, typer.Option("--just-handshake", help="No pings.")]
_DialectOption = Annotated[
    Literal["auto", "borsh", "protobuf"], typer.Option("--dialect", help="What to speak to the first hop.")
]
_Version = Annotated[
    int | None, typer.Option("--protocol-version", help="The version to tell.", min=0, max=2**32 - 1, metavar="V")
]


def ping(
    peers: _Peers,
    chain_id: _Chain,
    via: _Via = None,
    genesis_hash: _Genesis = None,
    head_height: _Height = 0,
    count: _Count = 5,
    interval: _Interval = 1.0,
    timeout: _Timeout = 5.0,
    ttl: _Ttl = None,
    latencies_csv: _Csv = None,
    prometheus_addr: _Metrics = None,
    just_handshake: _Handshake = False,
    dialect: _DialectOption = "auto",
    protocol_version: _Version = None,
    as_json: JsonOption = False,
) -> None:
    """Handshake with a first hop as a peer of its own, then routed pings. Exit 0 when at least one pong came.

    When the handshake is refused it says which flag to change.

    Example: nearnet ping ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX@10.0.0.7:24567 --chain-id mainnet
    """
    plan = PingPlan(
        tuple(peers),
        chain_id,
        via,
        genesis_hash,
        head_height,
        dialect,
        protocol_version,
        count,
        interval,
        ttl,
        timeout,
    )
    report = _Report(Pinging(plan), as_json, just_handshake)
    _run(report, latencies_csv, prometheus_addr)
    if not just_handshake and not any(each.pongs for each in report.targets):
        raise typer.Exit(1)


def _run(report: "_Report", latencies_csv: Path | None, prometheus_addr: str | None) -> None:
    log, quiet = logging.getLogger("nearnet"), logging.NullHandler()
    with contextlib.ExitStack() as stack:
        log.addHandler(quiet)  # What is to be said is said here.
        stack.callback(log.removeHandler, quiet)
        if latencies_csv is not None:
            report.csv = stack.enter_context(LatenciesCsv(latencies_csv.expanduser()))
        if report.live:
            stack.enter_context(_live(report))
        elif not report.as_json:
            stack.callback(report.summary)  # Also after Ctrl-C.
        run_on_best_loop(_serve(report, prometheus_addr))


async def _serve(report: "_Report", prometheus_addr: str | None) -> None:
    """The pings, with their metrics where they are wanted."""
    async with contextlib.AsyncExitStack() as stack:
        if prometheus_addr is not None:
            from nearnet.api.metrics_listener import MetricsListener

            try:
                parse_socket(prometheus_addr)
            except ValueError as error:
                raise ConfigError(f"--prometheus-addr: expected {error}, got {prometheus_addr!r}") from None
            listener = MetricsListener(prometheus_addr, report.metrics.exposition, "--prometheus-addr")
            stack.push_async_callback(listener.stop)
            await listener.start()
        await report.pinging.run(report.shaken, report.result, report.just_handshake)


class _Report:
    """What is printed: JSON documents, lines, or on a terminal a table that is drawn anew."""

    def __init__(self, pinging: Pinging, as_json: bool, just_handshake: bool) -> None:
        names = [target.info.id for target in pinging.targets]
        if len(set(names)) < len(names):
            raise ConfigError("a peer is named twice; name each once, and say how often by --count")
        self._statistics = {target.info.id: TargetStatistics(target) for target in pinging.targets}
        self.pinging = pinging
        self.as_json = as_json
        self.just_handshake = just_handshake
        self.live = not as_json and not just_handshake and sys.stdout.isatty()
        self.metrics = PingMetrics(pinging.plan.chain_id)
        self.csv: LatenciesCsv | None = None
        self.hops: list[str] = []

    @property
    def targets(self) -> list[TargetStatistics]:
        """All of them, in the order of the call."""
        return list(self._statistics.values())

    def shaken(self, hop: Handshaken) -> None:
        words = f"{hop.peer_id} at {hop.address} took the handshake in {hop.milliseconds:.1f} ms: "
        words += f"{hop.dialect}, protocol version {hop.protocol_version}"
        self.hops.append(words)
        if self.as_json:
            if self.just_handshake:
                print_json(hop.as_dict())
        elif not self.live:
            print(words, flush=True)

    def result(self, result: PingResult) -> None:
        each = self._statistics[result.target.info.id]
        each.add(result)
        self.metrics.add(result)
        if self.csv is not None:
            self.csv.add(result)
        if self.as_json:
            print_json(result.as_dict())
        elif not self.live:
            outcome = result.reason or f"pong over {_hops(result.hops)} in {result.milliseconds:.1f} ms"
            print(f"{each.name} #{result.seq}: {printable(outcome)}", flush=True)

    def summary(self) -> None:
        """Percentiles, in words."""
        for each in self.targets:
            if each.pings:
                numbers = "/".join(f"{value:.1f}" for value in each.summary().values())
                names = "/".join(each.summary())
                rest = f", {names} {numbers} ms" if numbers else f", {printable(each.reason or '')}"
                print(f"{each.name}: {each.pings} pings, {each.pongs} pongs{rest}", flush=True)


def _hops(hops: int | None) -> str:
    return "1 hop" if hops == 1 else f"{hops} hops"


@contextlib.contextmanager
def _live(report: _Report) -> Iterator[None]:
    """A table on the terminal while it goes on; its last state stays."""
    from rich.live import Live

    with Live(get_renderable=lambda: _table(report), refresh_per_second=8):
        yield


def _table(report: _Report) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text("\n".join(map(printable, report.hops)) or "waiting for the handshake"))
    for name in ("peer", "pings", "pongs", "hops", "min", "avg", "p50", "p90", "p99", "max", "ms"):
        table.add_column(name, justify="left" if name in ("peer", "ms") else "right", overflow="fold")
    for each in report.targets:
        numbers = [f"{value:.1f}" for value in each.summary().values()] or ["-"] * 6
        hops = "-" if each.hops is None else str(each.hops)
        note = each.line if each.reason is None else f"{each.line} {each.reason}"
        table.add_row(each.name, str(each.pings), str(each.pongs), hops, *numbers, Text(printable(note)))
    return table
