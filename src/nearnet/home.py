"""The home folder: config.json, node_key.json, admin_token, data/ (`conventions.md` §3.1, §3.2; `threats.md` row 78).

A folder of the reference node (it has genesis.json, and config.json holds no `nearnet` object) is read, never written:
store, token and lock then lie under ``~/.nearnet/<chain_id>/<peer_id>/``.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nearnet.config.sources import read_json
from nearnet.errors import AlreadyRunning, BadKey, ConfigError
from nearnet.keys import SecretKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.keys import PublicKey

__all__ = ["Home", "HomeLock", "NodeKey", "default_home", "is_reference_home", "read_key", "write_key", "write_private"]

_OURS = ".nearnet"


@dataclass(frozen=True, slots=True)
class NodeKey:
    """node_key.json. Its `repr` never shows the secret."""

    account_id: str
    key: SecretKey


def default_home(environ: Mapping[str, str] | None = None) -> Path:
    """``NEARNET_HOME``, then ``~/.nearnet``."""
    environ = os.environ if environ is None else environ
    return Path(environ.get("NEARNET_HOME") or Path.home() / _OURS).expanduser()


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600 from its first byte on; `ConfigError` when there is one already."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} exists already and is kept") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def write_key(path: Path, key: SecretKey, account_id: str = "node") -> None:
    """The key file, in the reference node's form: this order of fields, two spaces, no newline at the end."""
    fields = {"account_id": account_id, "public_key": str(key.public_key), "secret_key": key.text}
    write_private(path, json.dumps(fields, indent=2))


def read_key(path: Path) -> NodeKey:
    """The key file. `ConfigError` when others can read it, or when it does not hold a key; never with the key in it."""
    _refuse_readable(path)
    fields = read_json(path)
    told = fields.get("secret_key", fields.get("private_key"))
    if not isinstance(told, str):
        raise ConfigError(f"{path} holds no secret_key")
    try:
        key = SecretKey.from_text(told)
    except BadKey as error:
        raise ConfigError(f"{path}: {error}") from None
    public = fields.get("public_key")
    if public is not None and public not in (str(key.public_key), str(key.public_key).partition(":")[2]):
        raise ConfigError(f"{path}: public_key is not that of the secret key, which is {key.public_key}")
    account_id = fields.get("account_id") or "node"
    if not isinstance(account_id, str):
        raise ConfigError(f"{path}: account_id is no text")
    return NodeKey(account_id, key)


def _refuse_readable(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; run nearnet init") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; run nearnet as its owner") from None
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{path} is no file")
    if mode & 0o077:
        raise ConfigError(f"{path} can be read by others (mode {mode & 0o777:04o}); run: chmod 600 {path}")


def is_reference_home(path: Path) -> bool:
    """Whether this is the folder of a reference node: to be read only."""
    if not (path / "genesis.json").exists() or not (path / "config.json").exists():
        return False
    return "nearnet" not in read_json(path / "config.json")


class HomeLock:
    """Holds a folder against a second process until `release`, or until this process ends in any way."""

    def __init__(self, folder: Path) -> None:
        """`AlreadyRunning` when another process holds it."""
        path = folder / "lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._file, 20, 0).decode(errors="replace").strip()
            os.close(self._file)
            raise AlreadyRunning(
                f"{folder} is in use by another nearnet{f' (process {owner})' if owner else ''}; "
                "stop it, or use another --home"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let others in; once."""
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one node. `state` is where we write: the folder itself, or our own beside a reference node's."""

    path: Path
    state: Path
    chain_id: str | None = None
    """From the reference node's genesis.json; None in a folder of ours."""

    @classmethod
    def open(cls, path: Path) -> Home:
        """An existing folder with a config; `ConfigError` ("run nearnet init") otherwise."""
        if not (path / "config.json").exists():
            raise ConfigError(f"{path} has no config.json; run nearnet init --home {path}")
        if not is_reference_home(path):
            return cls(path, path)
        chain_id = read_json(path / "genesis.json").get("chain_id")
        if not isinstance(chain_id, str):
            raise ConfigError(f"{path / 'genesis.json'} holds no chain_id")
        peer_id = read_key(path / "node_key.json").key.public_key
        state = _state_folder(chain_id, peer_id)
        return cls(path, state, chain_id)

    @property
    def config_path(self) -> Path:
        """config.json."""
        return self.path / "config.json"

    @property
    def key_path(self) -> Path:
        """node_key.json."""
        return self.path / "node_key.json"

    @property
    def token_path(self) -> Path:
        """The admin token."""
        return self.state / "admin_token"

    @property
    def store_path(self) -> Path:
        """The default store."""
        return self.state / "data" / "nearnet.sqlite"

    @property
    def base(self) -> dict[str, Any]:
        """What lies under config.json: a reference node's chain, which its config.json does not tell."""
        return {} if self.chain_id is None else {"chain_id": self.chain_id}

    def key(self) -> NodeKey:
        """The node's key."""
        return read_key(self.key_path)

    def prepare(self) -> None:
        """Make what we write to, as far as it is missing."""
        try:
            (self.state / "data").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.state / 'data'} cannot be made: {error.strerror}") from None
        if not self.token_path.exists():
            write_private(self.token_path, secrets.token_hex(32))

    def lock(self) -> HomeLock:
        """Hold it against a second process; call `prepare` before."""
        return HomeLock(self.state)

    def admin_token(self) -> str:
        """The admin token; `ConfigError` when it is missing, or when others can read it."""
        _refuse_readable(self.token_path)
        return self.token_path.read_text(encoding="utf-8").strip()


def _state_folder(chain_id: str, peer_id: PublicKey) -> Path:
    # A genesis.json of a stranger shall not name a folder outside.
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in chain_id)
    return Path.home() / _OURS / safe / str(peer_id)
