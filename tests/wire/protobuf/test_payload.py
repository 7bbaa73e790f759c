"""What validators sign: both statements, and what is none."""

import pytest
from hypothesis import given
from protobuf_values import account_data, owned_accounts

from nearnet.errors import Malformed
from nearnet.keys import SecretKey
from nearnet.wire.messages import AccountData, OwnedAccount
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import delimited
from nearnet.wire.protobuf.payload import read_payload, write_payload

KEY = SecretKey.from_seed("a key").public_key


@given(account_data | owned_accounts)
def test_round_trip(content):
    assert read_payload(write_payload(content)) == content


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        delimited(9, b"of the future"),
        pb.AccountKeyPayload(account_data=pb.AccountData(version=1)).SerializeToString(),
        pb.AccountKeyPayload(owned_account=pb.OwnedAccount()).SerializeToString(),
        pb.AccountKeyPayload(owned_account=pb.OwnedAccount(timestamp=pb.Timestamp())).SerializeToString(),
        write_payload(AccountData(KEY, KEY, (), 1, (1, 0)))[:-1],
    ],
    ids=range(7),
)
def test_what_is_malformed(payload):
    with pytest.raises(Malformed):
        read_payload(payload)


def test_unknown_fields_are_skipped():
    content = OwnedAccount(KEY, KEY, (5, 6))
    assert read_payload(write_payload(content) + delimited(70, b"new")) == content
