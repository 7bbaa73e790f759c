"""`PeerStore` under random calls, against a model that keeps the rules of `behaviour.md` §6 in the plainest form."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from peer_fakes import ME, START, DictStore, addr, info, make_config, node, peer_id

from nearnet.core.peer_manager.known_peers import PeerStatus, PeerStore, TrustLevel
from nearnet.core.runtime.clock import Now
from nearnet.errors import ReasonForBan

pytestmark = pytest.mark.threat(15, 61)

IDS = st.integers(1, 6)
ADDRESSES = st.integers(1, 5)
BOOT = 6
SOURCE = "9.9.9.9"


@dataclass
class Model:
    """One peer: its address by number, or None."""

    at: int | None = None
    trust: TrustLevel = TrustLevel.INDIRECT
    status: PeerStatus = PeerStatus.UNKNOWN
    ban_ends: float = 0.0


class PeerStoreMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.config = make_config(boot_nodes=(node(BOOT),), ban_window=50.0)
        self.store = DictStore()
        self.now = START
        self.jumped = False
        self.peers = self.open()
        self.model = {BOOT: Model(BOOT, TrustLevel.SIGNED)}

    def open(self) -> PeerStore:
        return PeerStore(ME, self.config, self.store, self.store.journal, random.Random(1), self.now)

    def owner(self, address):
        return next((number for number, peer in self.model.items() if peer.at == address), None)

    def claim(self, number, address, level):
        owner = self.owner(address)
        mine = self.model.setdefault(number, Model())
        if owner == number:
            mine.trust = max(mine.trust, level)
            return
        if mine.at is not None and mine.trust > level:
            return
        if owner is not None:
            other = self.model[owner]
            if other.trust > level or owner == BOOT or other.status is PeerStatus.CONNECTED:
                return
            other.at = None
        mine.at, mine.trust = address, level

    @rule(number=IDS, address=ADDRESSES)
    def indirect(self, number, address):
        self.peers.add_indirect([info(number, addr(address))], SOURCE, self.now)
        known = self.model.get(number)
        if self.owner(address) is None and (known is None or (known.at is None and number != BOOT)):
            self.claim(number, address, TrustLevel.INDIRECT)

    @rule(number=IDS, address=ADDRESSES)
    def direct(self, number, address):
        self.peers.add_direct(info(number, addr(address)), self.now)
        self.claim(number, address, TrustLevel.DIRECT)

    @rule(number=IDS, address=ADDRESSES)
    def connected(self, number, address):
        if self.peers.is_banned(peer_id(number)):
            return
        self.peers.connected(info(number, addr(address)), self.now)
        self.model.setdefault(number, Model()).status = PeerStatus.CONNECTED
        self.claim(number, address, TrustLevel.SIGNED)

    @rule(number=IDS)
    def disconnected(self, number):
        self.peers.disconnected(peer_id(number), self.now)
        peer = self.model.get(number)
        if peer is not None and peer.status is PeerStatus.CONNECTED:
            peer.status = PeerStatus.NOT_CONNECTED

    @rule(number=IDS)
    def dial_failed(self, number):
        self.peers.attempted(peer_id(number), self.now, "refused")
        peer = self.model.get(number)
        if peer is not None and peer.status is PeerStatus.NOT_CONNECTED:
            peer.status = PeerStatus.UNKNOWN

    @rule(dialed=IDS, address=ADDRESSES, told=IDS)
    def invalid_target(self, dialed, address, told):
        self.peers.invalid_target(peer_id(dialed), addr(address), peer_id(told), self.now)
        owner = self.owner(address)
        if owner == dialed != told:
            self.model[owner].at = None
        if self.owner(address) is None:
            self.claim(told, address, TrustLevel.DIRECT)

    @rule(number=IDS, seconds=st.none() | st.integers(1, 200))
    def ban(self, number, seconds):
        self.peers.ban(peer_id(number), ReasonForBan.ABUSIVE, self.now, seconds)
        peer = self.model.setdefault(number, Model())
        ends = self.now.mono + (50 if seconds is None else seconds)
        peer.ban_ends = max(ends, peer.ban_ends if peer.status is PeerStatus.BANNED else 0)
        peer.status = PeerStatus.BANNED

    @rule(number=IDS)
    def unban(self, number):
        peer = self.model.get(number)
        banned = peer is not None and peer.status is PeerStatus.BANNED
        assert self.peers.unban(peer_id(number), self.now) is banned
        if banned:
            peer.status = PeerStatus.NOT_CONNECTED

    @rule(seconds=st.integers(1, 100), jump=st.sampled_from([0, 0, -86_400, 86_400]))
    def wait(self, seconds, jump):
        self.jumped |= jump != 0
        self.now = Now(self.now.mono + seconds, self.now.wall + seconds + jump)
        ended = self.peers.end_bans(self.now)
        over = [n for n, p in self.model.items() if p.status is PeerStatus.BANNED and p.ban_ends <= self.now.mono]
        for number in over:
            self.model[number].status = PeerStatus.NOT_CONNECTED
        assert sorted(ended) == sorted(map(peer_id, over))
        self.peers.expire(self.now)

    @precondition(lambda self: not self.jumped)
    @rule()
    def restart(self):
        """Only while the wall clock never jumped: a stored ban ends by it."""
        self.store.settle()
        self.peers = self.open()
        boot = self.model.setdefault(BOOT, Model())
        for number, peer in self.model.items():
            if peer.status is PeerStatus.CONNECTED:
                peer.status = PeerStatus.NOT_CONNECTED
            peer.trust = TrustLevel.INDIRECT
            if number != BOOT and peer.at == BOOT:
                peer.at = None
        boot.at, boot.trust = BOOT, TrustLevel.SIGNED

    @invariant()
    def same(self):
        known = {int.from_bytes(peer.id, "big"): peer for peer in self.peers.peers()}
        assert known.keys() == self.model.keys()
        for number, peer in self.model.items():
            ours = known[number]
            assert (ours.status, ours.addr) == (peer.status, None if peer.at is None else addr(peer.at))
            assert ours.addr is None or ours.trust == peer.trust
            assert ours.ban is not None or peer.status is not PeerStatus.BANNED

    @invariant()
    def index_is_consistent(self):
        for address in range(1, 7):
            owner = self.owner(address)
            found = self.peers.at(addr(address))
            assert (found and found.id) == (owner and peer_id(owner))
        told = self.peers.peers_for_response(512, random.Random(1))
        assert all(not self.peers.is_banned(one.id) for one in told)
        picked = self.peers.sample_random_peer(lambda peer: False)
        assert picked is None or self.model[int.from_bytes(picked.id, "big")].status in (
            PeerStatus.UNKNOWN,
            PeerStatus.NOT_CONNECTED,
        )

    @invariant()
    def writes_make_the_same_state(self):
        self.store.settle()
        again = self.open()
        stored = {peer.id: peer.info.addr for peer in again.peers() if not peer.pinned}
        for peer in self.peers.peers():
            if not peer.pinned and peer.addr != addr(BOOT):
                assert stored[peer.id] == peer.addr


PeerStoreMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPeerStoreMachine = PeerStoreMachine.TestCase
