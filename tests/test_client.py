"""The default client."""

import pytest

from nearnet.client import EPOCHS_REMEMBERED, Ban, Client, DefaultClient
from nearnet.config import config_from
from nearnet.errors import ConfigError, ReasonForBan
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire.messages import AnnounceAccount, Block, PeerInfo, RoutedMessage

KEY = SecretKey.from_seed("node0")
PEER = PeerInfo(KEY.public_key)


def epoch(number):
    return CryptoHash.of(b"%d" % number)


def announcement(number, account_id="alice.near"):
    return AnnounceAccount(account_id, KEY.public_key, epoch(number), KEY.sign(bytes(32)))


def make(**nearnet):
    return DefaultClient(config_from({"chain_id": "c", "head_height": 7, "tracked_shards": [1, 2], "nearnet": nearnet}))


def test_it_is_a_client_that_answers_from_the_config():
    client = make()
    assert isinstance(client, Client)
    info = client.chain_info()
    assert (info.genesis_id.chain_id, info.genesis_id.hash) == ("c", bytes(32))
    assert (info.height, info.tracked_shards, info.archival) == (7, (1, 2), False)


def test_it_counts_what_it_is_given_and_answers_nothing():
    client = make()
    assert client.on_message(Block(b""), PEER) is None
    message = RoutedMessage(KEY.public_key, KEY.public_key, KEY.sign(bytes(32)), 100, b"\x07")
    assert client.on_routed(message) is None
    assert client.on_routed(message) is None
    assert client.counts == {"Block": 1, "Routed": 2}


@pytest.mark.threat(62)
def test_an_epoch_seen_before_is_dropped():
    client = make()
    assert client.validate_announcement(announcement(1), None)
    assert client.validate_announcement(announcement(2), epoch(1))
    assert not client.validate_announcement(announcement(1), epoch(2))
    assert client.validate_announcement(announcement(1, "bob.near"), None)


def test_the_epoch_held_from_before_a_restart_counts_as_seen():
    client = make()
    assert client.validate_announcement(announcement(2), epoch(1))
    assert not client.validate_announcement(announcement(1), epoch(2))


def test_it_remembers_so_many_epochs():
    client = make()
    for number in range(EPOCHS_REMEMBERED + 1):
        assert client.validate_announcement(announcement(number), None)
    assert not client.validate_announcement(announcement(1), None)
    assert client.validate_announcement(announcement(0), None)


def test_it_remembers_so_many_accounts():
    client = make(timing={"announce_account_cache_size": 2})
    for account in ("a1", "a2", "a3"):
        assert client.validate_announcement(announcement(1, account), None)
    assert client.validate_announcement(announcement(1, "a1"), None)
    assert not client.validate_announcement(announcement(1, "a3"), None)


def test_what_it_never_accepts():
    assert not make().validate_announcement(announcement(1, "Not An Account"), None)
    assert not make(announcements="ignore").validate_announcement(announcement(1), None)
    assert make(announcements="relay_only").validate_announcement(announcement(1), None)


def test_a_ban_lasts_the_configured_time_unless_told():
    assert Ban(ReasonForBan.BAD_BLOCK).seconds is None


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "5"])
def test_a_ban_of_no_time_is_refused(seconds):
    with pytest.raises(ConfigError, match="invalid seconds of a Ban: expected a number of at least 0 or None"):
        Ban(ReasonForBan.BAD_BLOCK, seconds)


def test_a_ban_without_a_reason_is_refused():
    with pytest.raises(ConfigError, match="invalid reason of a Ban: expected a ReasonForBan, got 6"):
        Ban(6)


def test_what_is_only_passed_on():
    client = make(announcements="relay_only")
    assert client.validate_announcement(announcement(1), None) == "relay_only"
    assert client.validate_announcement(announcement(1), epoch(1)) is False
