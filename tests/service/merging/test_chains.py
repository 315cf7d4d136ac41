"""Records that were merged one after the other, and how they go apart."""

import pytest

from service.errors import BusinessRuleError, ConflictError
from tests import world
from tests.fresh import wrong_documents
from tests.service.merging.scene import merge, scene, undo
from tests.stored import current


def test_a_chain_is_undone_from_its_end(database):
    here = scene(database)
    third = world.patient(database)
    before = current(database)
    first = here.merge()
    between = current(database)
    second = merge(database, here.target, third)
    assert wrong_documents(database) == []
    with pytest.raises(ConflictError, match=str(second.id)):
        undo(database, first)
    undo(database, second)
    assert current(database) == between
    undo(database, first)
    assert current(database) == before
    with pytest.raises(BusinessRuleError):
        undo(database, first)


def test_two_that_were_merged_into_one_go_apart_in_any_order(database):
    here = scene(database)
    c, third = world.hospital(database, "C"), world.patient(database)
    world.link(database, third, c)
    world.consent(database, third, c)
    before = current(database)
    first, second = here.merge(), merge(database, third, here.target)
    assert wrong_documents(database) == []
    undo(database, first)
    assert wrong_documents(database) == []
    undo(database, second)
    assert current(database) == before
