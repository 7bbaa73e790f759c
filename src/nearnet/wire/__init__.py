"""Bytes and values: the messages of both dialects."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "wire")
