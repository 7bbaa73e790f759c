"""What was asked over HTTP, how often and how long it took (`conventions.md` §3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.runtime.histogram import Histogram, exponential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nearnet.api.network_metrics import Metric

__all__ = ["RpcStats"]

_SECONDS = exponential(0.001, 2, 16)


class RpcStats:
    """Counted where it happens, told by the metrics."""

    __slots__ = ("calls", "prometheus_requests", "seconds", "status_requests", "timeouts")

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str], int] = {}
        """(method, error or empty) -> how many; methods that there are not are one, ``UNSUPPORTED_METHOD``."""
        self.seconds: dict[str, Histogram] = {}
        """By method; all of ours are one, ``nearnet``: each is 18 series (`threats.md` row 79)."""
        self.timeouts = 0
        self.prometheus_requests = 0
        self.status_requests = 0

    def called(self, method: str, code: str, seconds: float) -> None:
        """A call was answered; `code` is its error's, empty for a result."""
        self.calls[method, code] = self.calls.get((method, code), 0) + 1
        timed = "nearnet" if method.startswith("nearnet_") else method
        self.seconds.setdefault(timed, Histogram(_SECONDS)).observe(seconds)

    def metrics(self) -> Iterator[Metric]:
        """Under the reference's names."""
        methods: dict[str, int] = {}
        for (method, _), count in self.calls.items():
            methods[method] = methods.get(method, 0) + count
        yield (
            "near_rpc_total_count",
            "counter",
            "RPC calls",
            [({"method": method}, float(count)) for method, count in methods.items()],
        )
        errors = [({"method": method, "err_code": code}, float(n)) for (method, code), n in self.calls.items() if code]
        yield "near_rpc_error_count", "counter", "RPC calls that failed", errors
        seconds = [({"method": method}, histogram) for method, histogram in self.seconds.items()]
        yield "near_rpc_processing_time", "histogram", "Seconds from an RPC call to its answer", seconds
        for name, text, count in (
            ("near_rpc_timeout_total", "Requests that were not answered in time", self.timeouts),
            ("near_http_prometheus_requests_total", "Requests for the metrics", self.prometheus_requests),
            ("near_http_status_requests_total", "GET requests for the status", self.status_requests),
        ):
            yield name, "counter", text, [({}, float(count))]
