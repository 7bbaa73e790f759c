"""The golden bytes, read once."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def vectors(name: str) -> Any:
    """The parsed vectors of that name: borsh, protobuf or signatures."""
    return json.loads((Path(__file__).parent / "vectors" / f"{name}.json").read_text())
