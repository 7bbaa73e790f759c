"""What the values of today's messages can tell of themselves."""

import pytest
from golden_protobuf import frame_of

from nearnet.keys import CryptoHash, SecretKey, Signature
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import AccountData, OwnedAccount, PeerAddr, SignedPayload, SnapshotHostInfo, SocketAddress
from nearnet.wire.signed_payload import account_data_of, content_of, owned_account_of, sign_payload

SIGNER = SecretKey.from_seed("validator")
KEY = SIGNER.public_key


def test_texts():
    assert str(PeerAddr(SocketAddress("1.2.3.4", 5), KEY)) == f"{KEY}@1.2.3.4:5"


def test_a_payload_is_one_statement():
    data = sign_payload(AccountData(KEY, KEY, (), 1, (5, 0)), SIGNER)
    assert account_data_of(data) == content_of(data)
    assert owned_account_of(data) is None
    owned = sign_payload(OwnedAccount(KEY, KEY, (5, 0)), SIGNER)
    assert owned_account_of(owned) == content_of(owned)
    assert account_data_of(owned) is None


def test_a_payload_is_signed_as_it_is():
    signed = sign_payload(OwnedAccount(KEY, KEY, (5, 0)), SIGNER)
    assert signed.verify(KEY)
    assert not SignedPayload(signed.payload + b"x", signed.signature).verify(KEY)
    assert not signed.verify(SecretKey.from_seed("another").public_key)
    assert not signed.verify(SecretKey.from_seed("another", "secp256k1").public_key)
    owned = dialect_named("protobuf").decode(frame_of("handshake owned account")).owned_account
    assert owned.verify(owned_account_of(owned).account_key), "as a node of today's signed it"


@pytest.mark.scenario(95)
def test_a_hosts_word_is_hashed_as_borsh():
    host = SnapshotHostInfo(KEY, CryptoHash(bytes(32)), 7, (1, 2**64 - 1), Signature(bytes(65)))
    numbers = [n.to_bytes(8, "little") for n in (7, 1, 2**64 - 1)]
    assert host.digest() == CryptoHash.of(bytes(32) + numbers[0] + b"\2\0\0\0" + numbers[1] + numbers[2])
