import pytest

from nearnet.sim.caught import Caught


def test_what_an_exception_becomes():
    with Caught() as caught:
        raise AssertionError("agreement: they differ")
    assert caught.text == "agreement: they differ"
    with Caught() as caught:
        raise AssertionError
    assert caught.text == "AssertionError()"
    with Caught() as caught:
        {}["key"]
    assert caught.text == "KeyError in test_what_an_exception_becomes (test_caught.py): 'key'"


def test_none():
    with Caught() as caught:
        pass
    assert caught.text is None


def test_an_interruption_goes_on():
    with pytest.raises(KeyboardInterrupt), Caught():
        raise KeyboardInterrupt
