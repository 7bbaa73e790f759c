import pytest

from nearnet.core.routing_table.edge import (
    EDGE_AHEAD,
    FIRST_UNIX_NONCE,
    NONCE_WINDOW,
    NonceJudgement,
    is_current,
    is_dated,
    judge_nonce,
    near_now,
    propose_nonce,
    renewed_nonce,
    unix_nonce,
)

WALL = 1_700_000_000.5
NOW = 1_700_000_001
TAKE, OLD, FAR, EVEN = NonceJudgement.TAKE, NonceJudgement.NOT_NEWER, NonceJudgement.OUT_OF_RANGE, NonceJudgement.EVEN


@pytest.mark.threat(17, 18)
@pytest.mark.parametrize(
    ("nonce", "last", "judged"),
    [
        (0, 0, EVEN),
        (1, 0, TAKE),
        (2, 0, EVEN),
        (999, 0, TAKE),
        (1000, 0, EVEN),
        (1001, 0, FAR),
        (1, 1, OLD),
        (3, 4, OLD),
        (5, 4, TAKE),
        (1003, 4, TAKE),
        (1005, 4, FAR),
        (NOW, 0, TAKE),
        (NOW, NOW, OLD),
        (2**63 + 1, 0, FAR),
        (2**64 - 1, 0, FAR),
        (253402300799, 0, FAR),
        (253402300801, 0, FAR),
    ],
)
def test_documented_era(nonce, last, judged):
    assert judge_nonce("borsh", nonce, last, WALL, 1000) is judged


@pytest.mark.parametrize(
    ("nonce", "last", "judged"),
    [
        (NOW, 0, TAKE),
        (NOW + 1140, 0, TAKE),
        (NOW - 1140, 0, TAKE),
        (NOW + 1, 0, EVEN),
        (NOW, NOW, OLD),
        (NOW, NOW + 4, OLD),
        (NOW - 1260, NOW, FAR),
        (NOW + 1262, 0, FAR),
        (0, 0, FAR),
        (1, 0, FAR),
        (2**64 - 1, 0, FAR),
        (253402300799, 0, FAR),
    ],
)
def test_today(nonce, last, judged):
    assert judge_nonce("protobuf", nonce, last, WALL, 1000) is judged


def test_window_is_strict():
    assert near_now(int(WALL) + NONCE_WINDOW - 1, WALL)
    assert not near_now(1_700_000_000 + NONCE_WINDOW, 1_700_000_000.0)


def test_proposals():
    assert propose_nonce("borsh", 0, WALL) == 1
    assert propose_nonce("borsh", 4, WALL) == 5
    assert propose_nonce("borsh", 5, WALL) == 7
    assert propose_nonce("protobuf", 0, WALL) == NOW
    assert propose_nonce("protobuf", NOW, WALL) == NOW + 2
    assert propose_nonce("protobuf", NOW + 7, WALL) == NOW + 8
    assert unix_nonce(WALL) == NOW
    assert unix_nonce(NOW + 0.9) == NOW


def test_a_renewed_nonce_is_a_time_and_above_the_last():
    assert renewed_nonce(0, WALL) == renewed_nonce(5, WALL) == renewed_nonce(NOW - 2, WALL) == NOW
    assert renewed_nonce(NOW, WALL) == NOW + 2
    assert renewed_nonce(NOW + 1, WALL) == NOW + 2


@pytest.mark.scenario(81)
@pytest.mark.parametrize(
    ("nonce", "current"),
    [
        (1, True),
        (FIRST_UNIX_NONCE - 1, True),
        (FIRST_UNIX_NONCE, False),
        (NOW, True),
        (NOW - 1799, True),
        (NOW - 1801, False),
        (NOW + EDGE_AHEAD - 1, True),
        (NOW + EDGE_AHEAD + 1, False),
        (2**64 - 1, False),
    ],
)
def test_age(nonce, current):
    assert is_current(nonce, WALL, 1800) is current
    assert is_dated(nonce) is (nonce >= FIRST_UNIX_NONCE)
