"""A fault, or another answer, in a part of the core for one test."""

from __future__ import annotations

from typing import Any


class Changed:
    """A part of the core with other answers: compiled, it takes none in place of its own."""

    def __init__(self, part: Any, **answers: Any) -> None:
        self._part = part
        vars(self).update(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)
