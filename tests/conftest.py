"""What holds for every test."""

from hypothesis import settings

settings.register_profile("nearnet", deadline=None)  # A slow moment of the machine is no fault of the code.
settings.load_profile("nearnet")
