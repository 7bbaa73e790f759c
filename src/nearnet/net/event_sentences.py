"""Each event in words: what happened to which peer, and what follows from it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from nearnet.events import Degraded

if TYPE_CHECKING:
    from nearnet.events import NodeEvent

__all__ = ["Wording", "describe", "one_line", "wording"]

_LONGEST = 200
"""Characters of one value: much of it comes from peers."""


class Wording(NamedTuple):
    """How events of a kind are logged: a glyph (`=` state, `x` closed, `!` trouble), a level, a sentence."""

    glyph: str
    level: int
    sentence: str | None = None


_KINDS = {
    "connected": Wording("=", logging.INFO, "connected to {peer} at {address}: {direction}, {dialect}"),
    "disconnected": Wording("x", logging.INFO, "disconnected from {peer} at {address}: {reason}"),
    "handshake_failed": Wording("x", logging.INFO, "{peer} at {address} and we shook no hands: {reason}"),
    "handshake_refused": Wording("x", logging.INFO, "the handshake of {address} is refused: {reason}"),
    "dial_failed": Wording("x", logging.INFO, "no connection to {peer} at {address}: {reason}; tried again later"),
    "banned": Wording("!", logging.WARNING, "banned {peer} for {reason}: its connections are refused for {seconds} s"),
    "unbanned": Wording("=", logging.INFO, "the ban of {peer} has ended: it may connect again"),
    "ban_deferred": Wording(
        "!", logging.WARNING, "the ban of {peer} for {reason} waits until there are more than {min_peers_kept} peers"
    ),
    "malformed": Wording("!", logging.WARNING, "a message of {peer} at {address} does not read: {why}; it is dropped"),
    "behind": Wording("!", logging.WARNING, "{peer} reads slowly: {queued} bytes wait; gossip to it rests meanwhile"),
    "stalled": Wording("!", logging.WARNING, "the event loop was held for {seconds} s ({input}): all else waited"),
    "network_moved_on": Wording(
        "!",
        logging.WARNING,
        "the network has moved on: a peer accepts protocol versions {oldest} to {version} alone, our own is {own}; "
        "we follow with its version (nearnet.protocol_versions pins the versions); upgrade nearnet",
    ),
    "newer_protocol": Wording(
        "!",
        logging.WARNING,
        "a connected peer announced protocol version {version}, above our own {own}: upgrade nearnet before peers stop "
        "accepting ours",
    ),
    "newer_protocol_over": Wording(
        "=", logging.INFO, "no connected peer announces a protocol version above our own {own} any more"
    ),
    "cut_off": Wording(
        "!",
        logging.ERROR,
        "every recent dial failed because peers no longer accept our protocol version {own} (the newest that any "
        "announced is {version}): {advice}",
    ),
    "cut_off_over": Wording("=", logging.INFO, "peers no longer refuse our protocol version {own}"),
    "clock_ahead": Wording(
        "!",
        logging.WARNING,
        "our clock is {seconds} s ahead of our peers': they drop our edges, so nobody finds a way to us; set the clock "
        "(timedatectl set-ntp true)",
    ),
    "clock_ahead_over": Wording("=", logging.INFO, "our clock is not ahead of our peers' any more"),
    "degraded": Wording(
        "!", logging.ERROR, "the {part} is degraded: {why}; what is to be written is kept and tried again"
    ),
}
_RECOVERED = Wording("=", logging.INFO, "the {part} works again")
_OTHER = Wording("=", logging.DEBUG)


def wording(event: NodeEvent) -> Wording:
    """How it is logged; a kind without a sentence of its own is for debugging."""
    if isinstance(event, Degraded) and event.why is None:
        return _RECOVERED
    return _KINDS.get(event.kind, _OTHER)


def describe(event: NodeEvent) -> str:
    """The sentence; name=value pairs for a kind that has none."""
    sentence = wording(event).sentence
    if sentence is not None:
        return sentence.format_map(_Values(event))
    who = "" if event.peer_id is None else f" {event.peer_id}"
    data = "".join(f" {name}={_value(value)}" for name, value in event.data.items())
    return f"{event.kind}{who}{data}"


class _Values(dict[str, str]):
    """An event's values; who has no id yet is "a stranger", and what is not told a dash."""

    def __init__(self, event: NodeEvent) -> None:
        super().__init__({name: _value(value) for name, value in event.data.items() if value is not None})
        self["peer"] = "a stranger" if event.peer_id is None else str(event.peer_id)

    def __missing__(self, name: str) -> str:
        return "-"


def one_line(text: str) -> str:
    """Without control characters: what a peer told forges no line of the log and steers no terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _value(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return one_line(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..")
