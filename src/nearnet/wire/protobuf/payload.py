"""What validators sign of themselves (`AccountKeyPayload`, `wire.md` §6)."""

from __future__ import annotations

from nearnet.errors import Malformed
from nearnet.wire.messages import AccountData, OwnedAccount, PeerAddr
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import Unknown
from nearnet.wire.protobuf.structures import (
    parse,
    read_address,
    read_public_key,
    read_timestamp,
    write_address,
    write_key,
    write_timestamp,
)

__all__ = ["read_payload", "write_payload"]


def read_payload(data: bytes) -> AccountData | OwnedAccount:
    """The statement in a signed payload; unknown fields are skipped. `Malformed` when it does not read."""
    payload = parse(pb.AccountKeyPayload, data, Unknown())
    match payload.WhichOneof("payload"):
        case "account_data":
            return _read_account_data(payload.account_data)
        case "owned_account":
            return _read_owned_account(payload.owned_account)
    raise Malformed("a signed payload that states nothing known")


def _read_account_data(data: pb.AccountData) -> AccountData:
    if not data.HasField("timestamp"):
        raise Malformed("account data without a time")
    return AccountData(
        peer_id=read_public_key(data.peer_id.borsh),
        account_key=read_public_key(data.account_key.borsh),
        proxies=tuple(PeerAddr(read_address(one.addr), read_public_key(one.peer_id.borsh)) for one in data.proxies),
        version=data.version,
        timestamp=read_timestamp(data.timestamp),
    )


def _read_owned_account(owned: pb.OwnedAccount) -> OwnedAccount:
    if not owned.HasField("timestamp"):
        raise Malformed("an owned account without a time")
    return OwnedAccount(
        account_key=read_public_key(owned.account_key.borsh),
        peer_id=read_public_key(owned.peer_id.borsh),
        timestamp=read_timestamp(owned.timestamp),
    )


def write_payload(content: AccountData | OwnedAccount) -> bytes:
    """The bytes to sign. Those of others are not made again: they are passed on as they came."""
    if isinstance(content, AccountData):
        data = pb.AccountData(
            peer_id=write_key(content.peer_id),
            account_key=write_key(content.account_key),
            proxies=[
                pb.PeerAddr(addr=write_address(one.addr), peer_id=write_key(one.peer_id)) for one in content.proxies
            ],
            version=content.version,
            timestamp=write_timestamp(content.timestamp),
        )
        return pb.AccountKeyPayload(account_data=data).SerializeToString()
    owned = pb.OwnedAccount(
        account_key=write_key(content.account_key),
        peer_id=write_key(content.peer_id),
        timestamp=write_timestamp(content.timestamp),
    )
    return pb.AccountKeyPayload(owned_account=owned).SerializeToString()
