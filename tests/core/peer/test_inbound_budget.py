from nearnet.core.peer.inbound import InboundBudget

MIB = 2**20


def test_small_frames_take_nothing():
    budget = InboundBudget(256 * MIB, 32 * MIB)
    assert budget.take(1, 32 * MIB)
    assert budget.used == 0
    assert budget.release(1) == []


def test_large_frames_share_in_the_order_of_asking():
    budget = InboundBudget(256 * MIB, 32 * MIB)
    assert budget.take(1, 200 * MIB)
    assert budget.take(1, 200 * MIB), "who holds a share asks once"
    assert not budget.take(2, 100 * MIB)
    assert not budget.take(3, 40 * MIB), "nobody overtakes"
    assert not budget.take(4, 200 * MIB)
    assert budget.used == 200 * MIB
    assert budget.release(1) == [2, 3]
    assert budget.used == 140 * MIB
    assert budget.release(3) == []
    assert budget.release(2) == [4]


def test_one_larger_than_all_waits_until_it_is_alone():
    budget = InboundBudget(256 * MIB, 32 * MIB)
    assert budget.take(1, 33 * MIB)
    assert not budget.take(2, 512 * MIB)
    assert budget.release(1) == [2]
    assert budget.used == 256 * MIB


def test_one_that_waits_may_give_up():
    budget = InboundBudget(256 * MIB, 32 * MIB)
    assert budget.take(1, 256 * MIB)
    assert not budget.take(2, 256 * MIB)
    assert not budget.take(3, 64 * MIB)
    assert budget.release(2) == []
    assert budget.release(1) == [3]
