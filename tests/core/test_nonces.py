import pytest

from nearnet.core.nonces import NONCE_WINDOW, NonceJudgement, judge_nonce, near_now, propose_nonce, unix_nonce

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
