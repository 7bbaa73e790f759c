"""What all of the core runs on: addresses, clock, timers, limits, actions, histograms. No decision is made here."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/runtime")
