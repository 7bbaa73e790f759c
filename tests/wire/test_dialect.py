import subprocess
import sys

import pytest

from nearnet.errors import ConfigError
from nearnet.wire.dialect import SPOKEN, detect, dialect_named


@pytest.mark.interop("which dialect")
def test_one_byte_tells():
    assert {detect(byte) for byte in range(21)} == {"borsh"}
    assert {detect(byte) for byte in range(34, 256)} == {"protobuf"}


def test_named():
    for name in SPOKEN:
        assert dialect_named(name).name == name
        assert dialect_named(name) is dialect_named(name)
    with pytest.raises(ConfigError, match="morse"):
        dialect_named("morse")


def test_who_speaks_borsh_alone_loads_no_protobuf():
    code = "import sys, nearnet; from nearnet.wire.dialect import dialect_named; dialect_named('borsh'); "
    code += "print([name for name in sys.modules if name.startswith('google')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
