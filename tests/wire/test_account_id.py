import pytest

from nearnet.wire.account_id import valid_account_id
from tests.vectors_file import vectors


@pytest.mark.parametrize(("text", "valid"), vectors("borsh")["account_ids"])
def test_vectors(text, valid):
    assert valid_account_id(text) is valid


def test_a_line_end_is_no_part_of_it():
    assert not valid_account_id("near\n")
