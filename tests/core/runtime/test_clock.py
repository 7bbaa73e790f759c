from nearnet.core.runtime.clock import Now


def test_nanoseconds():
    assert Now(5.0, 1.5).unix_ns == 1_500_000_000


def test_a_machine_that_believes_to_be_before_1970_stores_0():
    assert Now(5.0, -2e9).unix_ns == 0
