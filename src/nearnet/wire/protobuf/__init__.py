"""The protobuf dialect, which nodes since 2022-09 speak (`wire.md` §6)."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "wire/protobuf")
