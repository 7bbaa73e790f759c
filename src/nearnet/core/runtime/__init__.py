"""What every part of the core runs on: clock, timers, limits, actions, histograms. No decision lives here."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/runtime")
