"""The dashboard at `/`: static files of the package, and cached answers for many open pages (`threats.md` row 77).

Nothing is read before the first request for it. Every file comes from here, and the policy lets the page run nothing
else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from nearnet.api.dashboard.answers import ANSWERED, Answers
from nearnet.api.errors import method_not_found, parse_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

__all__ = ["POLICY", "STATIC", "add_routes"]

STATIC = Path(__file__).parent / "static"
"""Where the page's files lie."""

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types nearnet"
)
"""No script or style in the page itself, nothing from elsewhere, and no text that becomes markup or a script."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".json": "application/json",
}


def add_routes(app: web.Application, call: Callable[[str, dict[str, Any]], Awaitable[Any]]) -> None:
    """Serve the page at `/`, its files below `/dashboard/`, and cached answers of the RPC below `/dashboard/data/`.

    `call` answers a method of the RPC that has no side effects.
    """
    pages = _Pages(Answers(call))
    app.add_routes(
        [
            web.get("/", pages.front),
            web.get("/dashboard/now", pages.now),
            web.get("/dashboard/data/{name}", pages.data),
            web.get("/dashboard/{path:.+}", pages.file),
        ]
    )


class _Pages:
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._files: dict[str, Path] | None = None

    async def front(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html", headers=_headers("index.html"))

    async def file(self, request: web.Request) -> web.StreamResponse:
        if self._files is None:
            self._files = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
        name = request.match_info["path"]
        path = self._files.get(name)
        if path is None or path.suffix not in _TYPES:
            raise method_not_found(request.path, 404)
        return web.FileResponse(path, headers=_headers(name))

    async def now(self, request: web.Request) -> web.StreamResponse:
        """All that a page wants to be told again, in one request; what has the tag that the page knows is left out."""
        asked = dict(request.query)
        since = asked.pop("since", None)
        if not asked.keys() <= ANSWERED.keys():
            raise method_not_found(request.path, 404)
        told = []
        for name, known in asked.items():
            body, tag = await self._answers.get(name, {})
            if tag != known:
                told.append(b'"%b":{"tag":"%b","answer":%b}' % (name.encode(), tag.encode(), body))
        if since is not None:
            try:
                body, _ = await self._answers.get("nearnet_graph", {"since": float(since)})
            except ValueError:
                raise parse_error("since is a number") from None
            told.append(b'"changes":{"answer":%b}' % body)
        return web.Response(
            body=b"{" + b",".join(told) + b"}", content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def data(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in ANSWERED:
            raise method_not_found(request.path, 404)
        try:
            body, tag = await self._answers.get(name, {key: float(text) for key, text in request.query.items()})
        except ValueError:
            raise parse_error("parameters are numbers") from None
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type="application/json", headers=headers)


def _headers(name: str) -> dict[str, str]:
    kind = _TYPES[Path(name).suffix]
    charset = "" if kind == "application/json" else "; charset=utf-8"
    return {**_HEADERS, "Content-Type": kind + charset}
