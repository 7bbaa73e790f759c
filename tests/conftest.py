"""What holds for every test."""

import signal

from hypothesis import settings

settings.register_profile("nearnet", deadline=None)  # A slow moment of the machine is no fault of the code.
settings.load_profile("nearnet")

# A shell's background job ignores Ctrl-C, and so would the commands that tests start and end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)
