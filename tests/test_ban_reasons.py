"""Reasons for a ban: their numbers are stored for good, their names are what an operator writes."""

import pytest

from nearnet.errors import ConfigError, ReasonForBan


def test_each_reason_is_found_by_its_label():
    for reason in ReasonForBan.to_give():
        assert ReasonForBan.from_label(reason.label) is reason
        assert ReasonForBan.from_label(reason.label.upper()) is reason
    assert ReasonForBan.from_label("bad_block") is ReasonForBan.BAD_BLOCK


def test_reason_11_is_read_but_not_offered():
    assert ReasonForBan(11).label == "InvalidDistanceVector"
    assert len(ReasonForBan.to_give()) == len(ReasonForBan) - 1
    with pytest.raises(ConfigError, match="is no reason for a ban; it is one of None, BadBlock") as caught:
        ReasonForBan.from_label("InvalidDistanceVector")
    assert str(caught.value).count("InvalidDistanceVector") == 1, "it is named as wrong, not offered"
