"""Carries out the actions of one core, for everybody who runs a core without sockets.

The simulator's nodes, the tests' nodes, fuzzing and the replay of recordings all inherit from `ActionInterpreter`. It
does at once what needs no network: it checks signatures, computes routes, commits rows, and gives the core the
outcome. A subclass overrides the methods of the actions that mean something else where it runs: a simulated node
answers late and writes to a simulated disk, for example. `net/driver.py` does the same with threads and sockets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, assert_never

from nearnet.core.routing_table.edge import run_checks
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.runtime.actions import (
    CheckMessage,
    Close,
    Dial,
    Notify,
    PauseReading,
    Persist,
    Recompute,
    ResumeReading,
    Verify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.core.routing_table.edge import Verdict
    from nearnet.core.runtime.actions import Action
    from nearnet.store.base import Store

__all__ = ["ActionInterpreter"]


class ActionInterpreter(ABC):
    """One method for each kind of action. A subclass overrides those that need a network, or `on_other`."""

    core: PeerManager
    """Whose actions these are. The subclass sets it, and sets it again when its node starts anew."""
    store: Store
    """What `on_persist` commits to. The subclass sets it, unless it overrides that method."""

    @abstractmethod
    def do(self, command: Callable[..., Any], *arguments: object) -> Any:
        """Call an input of the core with these arguments and the present time, and return what it returns."""

    def carry_out_all(self) -> bool:
        """Carry out in order what the core asks for now. Return whether it asked for anything.

        The outcomes may make it ask for more: call this again until it returns False.
        """
        actions = self.core.take_actions()
        for action in actions:
            self.carry_out(action)
        return bool(actions)

    def carry_out(self, action: Action) -> None:
        """Carry out one action."""
        match action:
            case Notify():
                self.on_notify(action)
            case Verify():
                self.on_verify(action)
            case CheckMessage():
                self.on_check_message(action)
            case Recompute():
                self.on_recompute(action)
            case Persist():
                self.on_persist(action)
            case Dial():
                self.on_dial(action)
            case Close():
                self.on_close(action)
            case PauseReading():
                self.on_pause_reading(action)
            case ResumeReading():
                self.on_resume_reading(action)
            case _:
                assert_never(action)

    # --- what needs no network -------------------------------------------------------------------

    def on_verify(self, action: Verify) -> None:
        """Check the edges and give the core the verdict."""
        self.do(self.core.verified, self.verdict(action))

    def verdict(self, action: Verify) -> Verdict:
        """Return what the check of these edges found."""
        return run_checks(action.id, action.checks)

    def on_check_message(self, action: CheckMessage) -> None:
        """Check the large message and give the core the outcome."""
        self.do(self.core.checked, action, action.outcome())

    def on_recompute(self, action: Recompute) -> None:
        """Compute the next hops and give them to the core."""
        self.do(self.core.routes_ready, shortest_paths(action.snapshot))

    def on_persist(self, action: Persist) -> None:
        """Commit the rows at once, and tell the core where it wants to know (`token`)."""
        self.store.commit(action.writes)
        if action.token is not None:
            self.do(self.core.persisted, action.token, None)

    # --- what needs a network, or somebody who listens ---------------------------------------------

    def on_notify(self, action: Notify) -> None:
        """Tell the event to whoever listens."""
        self.on_other(action)

    def on_dial(self, action: Dial) -> None:
        """Open a connection; the core's `dialed` or `dial_failed` follows."""
        self.on_other(action)

    def on_close(self, action: Close) -> None:
        """Send what is queued for the connection if `action.flush`, then close it."""
        self.on_other(action)

    def on_pause_reading(self, action: PauseReading) -> None:
        """Give the core no more bytes of the connection until `on_resume_reading`."""
        self.on_other(action)

    def on_resume_reading(self, action: ResumeReading) -> None:
        """Give the core the bytes of the connection again."""
        self.on_other(action)

    def on_other(self, action: Action) -> None:
        """Do something with an action whose method the subclass does not override.

        Raises `NotImplementedError` unless it is overridden: an action is ignored only where that is meant.
        """
        raise NotImplementedError(f"{type(self).__name__} does not carry out {type(action).__name__}")
