"""The terminal view: peers, traffic, graph and events of a running node, asked anew every few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App
from textual.widgets import DataTable, Footer, RichLog, Sparkline, Static, TabbedContent, TabPane

from nearnet.errors import NearnetError
from nearnet.net.event_sentences import one_line
from nearnet.tools.summary_line import bytes_in_words
from nearnet.tools.top.snapshot import Snapshot

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from nearnet.tools.top.snapshot import Asked

__all__ = ["TopApp"]

_HISTORY = 120
_COLUMNS = {
    "peers": ("peer", "address", "way", "dialect", "since", "in/s", "out/s", "queue", "ping"),
    "traffic": ("message", "received", "sent"),
    "graph": ("distance", "peers"),
}


class TopApp(App[None]):
    """`run()` it. Keys: 1 to 4 choose a view, p pauses, s sorts the peers by traffic, q ends."""

    TITLE = "nearnet top"
    CSS = "#facts { height: 3; padding: 0 1; } Sparkline { height: 3; margin: 0 1; } DataTable { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("1", "view('peers')", "Peers"),
        ("2", "view('traffic')", "Traffic"),
        ("3", "view('graph')", "Graph"),
        ("4", "view('events')", "Events"),
        ("s", "sort", "Sort by traffic"),
        ("p", "pause", "Pause"),
        ("q", "quit", "Quit"),
    ]

    def __init__(self, rpc: Asked, interval: float = 2.0) -> None:
        """`rpc` is called on a thread, every `interval` seconds."""
        super().__init__()
        self._rpc = rpc
        self._interval = interval
        self._before: Snapshot | None = None
        self._latest: Snapshot | None = None
        self._seq = 0
        self._paused = False
        self._by_traffic = False
        self._rates: list[float] = [0.0, 0.0]

    def compose(self) -> ComposeResult:
        """The widgets."""
        yield Static("asking the node ..", id="facts", markup=False)
        with TabbedContent(initial="peers"):
            with TabPane("Peers", id="peers"):
                yield DataTable(id="peers-table", cursor_type="row")
            with TabPane("Traffic", id="traffic"):
                yield Sparkline(self._rates, id="rates")
                yield DataTable(id="traffic-table", cursor_type="row")
            with TabPane("Graph", id="graph"):
                yield DataTable(id="graph-table", cursor_type="row")
            with TabPane("Events", id="events"):
                yield RichLog(id="log", max_lines=1000, wrap=True)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to ask."""
        for name, columns in _COLUMNS.items():
            self._table(name).add_columns(*columns)
        self.set_interval(self._interval, self._tick)
        self.ask()

    def _tick(self) -> None:
        if not self._paused:
            self.ask()

    @work(thread=True, exclusive=True)
    def ask(self) -> None:
        """One round of questions, off the loop."""
        try:
            snapshot = Snapshot.ask(self._rpc)
        except (NearnetError, KeyError, TypeError) as error:
            self.call_from_thread(self._facts, f"{error}\nasked again every {self._interval:g} s")
        else:
            self.call_from_thread(self.show, snapshot)

    # --- keys ------------------------------------------------------------------------------------

    def action_view(self, name: str) -> None:
        """Another view."""
        self.query_one(TabbedContent).active = name

    def action_pause(self) -> None:
        """Ask no more, or again."""
        self._paused = not self._paused
        self.sub_title = "paused" if self._paused else ""
        if self._latest is not None:
            self._tell(self._latest)

    def action_sort(self) -> None:
        """The peers by traffic, or as they connected."""
        self._by_traffic = not self._by_traffic
        if self._latest is not None:
            self._show_peers(self._latest)

    # --- what is shown ---------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Fill every view from what the node told."""
        self._before, self._latest = self._latest, snapshot
        network = snapshot.network
        self._rates.append(float(network["received_bytes_per_sec"] + network["sent_bytes_per_sec"]))
        del self._rates[:-_HISTORY]
        self._tell(snapshot)
        self._show_peers(snapshot)
        self._fill("traffic", snapshot.traffic())
        self._fill("graph", snapshot.distances())
        self.query_one("#rates", Sparkline).data = list(self._rates)
        log = self.query_one("#log", RichLog)
        if snapshot.events and snapshot.events[-1]["seq"] < self._seq:
            self._seq = 0  # The node began anew, and so did its count.
        for event in snapshot.events_after(self._seq):
            self._seq = event["seq"]
            log.write(_sentence(event))

    def _tell(self, snapshot: Snapshot) -> None:
        own, network = snapshot.status["nearnet"], snapshot.network
        received, sent = (bytes_in_words(network[f"{word}_bytes_per_sec"]) for word in ("received", "sent"))
        self._facts(
            f"{snapshot.status['node_public_key']} on {own['addr'] or 'no port'}, chain {snapshot.status['chain_id']}, "
            f"up {snapshot.status['uptime_sec']} s{', paused' if self._paused else ''}\n"
            f"{network['num_active_peers']}/{network['peer_max_count']} peers, {own['known_peers']} known, "
            f"{own['reachable']} in reach, {own['edges']} edges   "
            f"⬇ {received}/s ⬆ {sent}/s"
        )

    def _facts(self, text: str) -> None:
        self.query_one("#facts", Static).update("\n".join(map(one_line, text.splitlines())))

    def _show_peers(self, snapshot: Snapshot) -> None:
        rows = snapshot.rows(self._before)
        if self._by_traffic:
            rows.sort(key=lambda row: -(row.received or 0.0) - (row.sent or 0.0))
        self._fill(
            "peers",
            [
                (
                    row.peer_id,
                    row.addr,
                    row.direction,
                    row.dialect,
                    f"{row.seconds:.0f} s",
                    "-" if row.received is None else bytes_in_words(row.received),
                    "-" if row.sent is None else bytes_in_words(row.sent),
                    bytes_in_words(row.queue),
                    "-" if row.ping_ms is None else f"{row.ping_ms:.1f} ms",
                )
                for row in rows
            ],
        )

    def _table(self, name: str) -> DataTable[Text]:
        return self.query_one(f"#{name}-table", DataTable)

    def _fill(self, name: str, rows: list[Any]) -> None:
        table = self._table(name)
        at = table.cursor_row
        table.clear()
        for row in rows:
            table.add_row(*(Text(one_line(str(cell))) for cell in row))  # A str would be read as markup.
        if rows:
            table.move_cursor(row=min(at, len(rows) - 1))


def _sentence(event: dict[str, Any]) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    rest = " ".join(f"{name}={value}" for name, value in event.items() if name not in ("seq", "time", "kind"))
    return one_line(f"{clock} {event['kind']} {rest}")
