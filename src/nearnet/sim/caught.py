"""Any fault of a run as a value: whoever tries ten thousand seeds must learn what each one came to."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Caught"]


class Caught:
    """A context manager that keeps the exception of its block, in words; `KeyboardInterrupt` and such go on."""

    def __init__(self) -> None:
        self.text: str | None = None
        """None: there was none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if isinstance(error, AssertionError):
            self.text = str(error) or repr(error)
            return True
        place = traceback.extract_tb(trace)[-1]
        self.text = f"{type(error).__name__} in {place.name} ({place.filename.rpartition('/')[2]}): {error}"
        return True
