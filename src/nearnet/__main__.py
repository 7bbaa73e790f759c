"""``python -m nearnet``."""

from __future__ import annotations

import sys

from nearnet.cli import main

__all__: list[str] = []

sys.exit(main())
