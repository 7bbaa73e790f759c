"""What every part of the core runs on: clock, timers, limits, actions, histograms. No decision lives here."""
