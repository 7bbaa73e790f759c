"""Any value that protobuf nodes have a form of, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st
from ml_dsa_keys import ODD_KEY, ODD_SIGNATURE

from nearnet.keys import CryptoHash, SecretKey, Signature
from nearnet.wire import messages as m
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.signed_payload import sign_payload

keys = st.sampled_from([SecretKey.from_seed("a").public_key, SecretKey.from_seed("b", "secp256k1").public_key, ODD_KEY])
signatures = st.one_of(
    st.binary(min_size=63, max_size=63).map(lambda data: Signature(b"\0" + data + b"\x0f")),
    st.binary(min_size=65, max_size=65).map(lambda data: Signature(b"\1" + data)),
    st.just(ODD_SIGNATURE),
)
hashes = st.binary(min_size=32, max_size=32).map(CryptoHash)
u16, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
moments = st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
addresses = st.builds(lambda ip, port: m.SocketAddress(str(ip), port), st.ip_addresses(), u16)
accounts = st.sampled_from(["near", "alice.near", "a-b_c.d1"])
peers = st.builds(m.PeerInfo, keys, st.none() | addresses, st.none() | accounts)
genesis_ids = st.builds(m.GenesisId, st.text(max_size=20), hashes)
edges = st.builds(Edge.build, keys, keys, u64, signatures, signatures, st.none() | st.tuples(st.booleans(), signatures))
partials = st.builds(m.PartialEdgeInfo, u64, signatures)
announcements = st.builds(m.AnnounceAccount, accounts, keys, hashes, signatures)
account_data = st.builds(
    m.AccountData, keys, keys, st.lists(st.builds(m.PeerAddr, addresses, keys)).map(tuple), u64, moments
)
owned_accounts = st.builds(m.OwnedAccount, keys, keys, moments)
SIGNER = SecretKey.from_seed("signer")
data = st.binary(max_size=300)
headers = st.lists(st.binary(max_size=90)).map(tuple)


def many(strategy):
    return st.lists(strategy, max_size=4).map(tuple)


MESSAGES = st.one_of(
    st.builds(
        m.Handshake,
        u32,
        u32,
        keys,
        keys,
        st.none() | st.integers(1, 65535),
        st.builds(m.PeerChainInfo, genesis_ids, u64, many(u64), st.booleans()),
        partials,
        st.none() | owned_accounts.map(lambda owned: sign_payload(owned, SIGNER)),
        st.sampled_from([1, 2, 3]),
    ),
    st.builds(
        m.HandshakeFailure,
        peers,
        st.one_of(
            st.builds(m.ProtocolVersionMismatch, u32, u32),
            st.builds(m.GenesisMismatch, genesis_ids),
            st.just(m.InvalidTarget()),
        ),
    ),
    st.builds(m.LastEdge, edges),
    st.builds(m.SyncRoutingTable, many(edges), many(announcements)),
    st.builds(m.RequestUpdateNonce, partials),
    st.builds(m.ResponseUpdateNonce, edges),
    st.builds(m.PeersRequest, st.none() | u32, st.none() | u32),
    st.builds(m.PeersResponse, many(peers), many(peers)),
    st.builds(m.BlockHeadersRequest, many(hashes)),
    headers.map(lambda one: m.BlockHeaders(len(one).to_bytes(4, "little") + b"".join(one), one)),
    st.builds(m.BlockRequest, hashes),
    st.builds(m.Block, data),
    st.builds(m.Transaction, data),
    st.builds(m.Challenge, data),
    st.builds(m.Disconnect, st.booleans()),
    st.builds(m.EpochSyncRequest),
    st.builds(m.EpochSyncResponse, data),
    st.builds(
        m.SyncAccountsData,
        many(account_data.map(lambda one: sign_payload(one, SIGNER))),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(m.DistanceVector, keys, many(st.tuples(keys, u32)), many(edges)),
    st.builds(m.SyncSnapshotHosts, many(st.builds(m.SnapshotHostInfo, keys, hashes, u64, many(u64), signatures))),
    st.builds(m.StateRequestHeader, u64, hashes),
    st.builds(m.StateRequestPart, u64, hashes, u64),
    st.builds(m.StateResponse, data),
    st.builds(m.OptimisticBlock, data, signatures, hashes),
    st.builds(
        m.Routed,
        st.builds(
            m.RoutedMessage, keys | hashes, keys, signatures, st.integers(0, 255), data.map(lambda body: b"\x0e" + body)
        ),
        st.none() | moments,
        u32,
    ),
)
"""Each message that protobuf nodes have a form of."""
