"""The hottest modules as C, made by mypyc from their Python: docs/performance.md has what it gives.

`pip install .` does it where there is a C compiler, and leaves them Python where there is none, or where NEARNET_PURE
is set. An editable install stays Python: what is edited is what runs. `make compiled` is for a checkout.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

COMPILED = (
    "core/gossip/exchange",
    "core/gossip/telling",
    "core/peer/inbound",
    "core/peer/peer",
    "core/peer/rates",
    "core/peer_manager/manager",
    "core/routed/forwarding",
    "core/routed/route_back",
    "core/routing_table/edge",
    "core/routing_table/edge_table",
    "core/routing_table/expiry",
    "core/routing_table/table",
    "core/runtime/histogram",
    "core/runtime/timers",
    "wire/borsh/dialect",
    "wire/borsh/primitives",
    "wire/edge_layout",
    "wire/framing",
    "wire/message_kinds",
    "wire/protobuf/dialect",
    "wire/protobuf/fields",
    "wire/protobuf/routed",
    "wire/routed_frame",
)
"""What each message and each edge passes through."""

MYPY = ("--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent")
"""The types are checked by `make lint`; here the libraries may be missing, so that they always count as such."""

BUILDING = {"bdist_wheel", "build", "build_ext"}
"""What asks for them; an editable install, or who only wants the metadata, does not."""

LIBRARY = "nearnet.core.compiled"
C_FILES = "build/c"


def has_compiler() -> bool:
    """Whether the compiler that this Python asks for is there."""
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or ""
    return bool(command) and shutil.which(command.split()[0]) is not None


def extensions() -> list[Extension]:
    """One library with all of them, and for each a small module that leads there."""
    if not BUILDING & set(sys.argv) or os.environ.get("NEARNET_PURE") or not has_compiler():
        return []
    from mypyc.build import mypycify

    os.environ["MYPYPATH"] = "src"
    paths = [f"src/nearnet/{name}.py" for name in COMPILED]
    options = {"opt_level": "2", "debug_level": "0", "multi_file": True, "target_dir": C_FILES}
    made: list[Extension] = mypycify([*MYPY, *paths], group_name=LIBRARY, **options)
    for extension in made:
        extension.include_dirs.append(f"{C_FILES}/nearnet/core")  # mypyc forgets it of a name with dots.
    return made


class AllOrNothing(build_ext):
    """With a compiler that fails, as without Python's headers, all stay Python: some alone could not be imported."""

    def build_extensions(self) -> None:
        """The C files of one library on all cores: it has nearly all of them."""
        compile_all, cores = self.compiler.compile, ThreadPoolExecutor(os.cpu_count())

        def compile_each(sources: list[str], **options: object) -> list[str]:
            return [made for each in cores.map(lambda one: compile_all([one], **options), sources) for made in each]

        self.compiler.compile = compile_each
        super().build_extensions()

    def run(self) -> None:
        """Build; a failure is told, and leaves nothing behind, of earlier builds neither."""
        self._remove_built()
        try:
            super().run()
        except (CompileError, LinkError) as error:
            print(f"the C compiler failed, nearnet stays Python: ..{str(error)[-60:]}", file=sys.stderr)
            self._remove_built()
            self.extensions = []

    def _remove_built(self) -> None:
        for built in Path(self.build_lib).rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}"):
            built.unlink()


setup(ext_modules=extensions(), cmdclass={"build_ext": AllOrNothing})
