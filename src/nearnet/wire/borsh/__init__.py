"""The borsh dialect, which nodes of 2022 speak, and the borsh forms inside protobuf messages (`wire.md` §2 to §5)."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "wire/borsh")
