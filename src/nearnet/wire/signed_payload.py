"""What a `SignedPayload` states, and making one (`AccountKeySignedPayload`, `wire.md` §6).

The protobuf library is loaded at the first call: a node whose neighbors all speak borsh never needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.wire.messages import AccountData, OwnedAccount, SignedPayload

if TYPE_CHECKING:
    from nearnet.keys import SecretKey

__all__ = ["account_data_of", "content_of", "owned_account_of", "sign_payload"]


def sign_payload(content: AccountData | OwnedAccount, key: SecretKey) -> SignedPayload:
    """Return that statement, signed with an (ed25519) account key."""
    from nearnet.wire.protobuf.payload import write_payload

    payload = write_payload(content)
    return SignedPayload(payload, key.sign(payload))


def content_of(signed: SignedPayload) -> AccountData | OwnedAccount:
    """Return what a signed payload states; raises `Malformed` when it does not read."""
    from nearnet.wire.protobuf.payload import read_payload

    return read_payload(signed.payload)


def account_data_of(signed: SignedPayload) -> AccountData | None:
    """Return what it states if that is account data, otherwise None; raises `Malformed` when it does not read."""
    content = content_of(signed)
    return content if isinstance(content, AccountData) else None


def owned_account_of(signed: SignedPayload) -> OwnedAccount | None:
    """Return what it states if that is an owned account, otherwise None; raises `Malformed` when it does not read."""
    content = content_of(signed)
    return content if isinstance(content, OwnedAccount) else None
