import pytest

from nearnet.errors import ConfigError
from nearnet.wire.dialect import detect, dialect_named


def test_one_byte_tells():
    assert {detect(byte) for byte in range(21)} == {"borsh"}
    assert {detect(byte) for byte in range(34, 256)} == {"protobuf"}


def test_named():
    assert dialect_named("borsh").name == "borsh"
    with pytest.raises(ConfigError, match="morse"):
        dialect_named("morse")
