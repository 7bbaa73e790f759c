"""The protobuf dialect, which nodes since 2022-09 speak (`wire.md` §6)."""
