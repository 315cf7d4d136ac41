"""What a person agreed to follows them to the record that stays, and back."""

from sqlmodel import select

from service.commands import PublishRules, RecordAgreement
from service.handlers import execute
from service.models.rules import Agreement, AgreementMethod
from tests.service.merging.scene import scene


def agree(database, rules, person):
    command = RecordAgreement(
        rules_id=rules.id, patient_id=person.id, method=AgreementMethod.PAPER, recorded_by="t"
    )
    execute(database, command)


def whose(database):
    rows = database.read(lambda session: session.exec(select(Agreement)).all())
    return {(row.rules_id, row.patient_id) for row in rows}


def test_agreements_follow_and_go_back_and_nobody_agrees_twice(database):
    here = scene(database)
    only, both = (
        execute(database, PublishRules(text=text, group_id=group.id, published_by="t"))
        for text, group in zip(("Be kind", "Be on time"), here.groups, strict=False)
    )
    agree(database, only, here.source)
    agree(database, both, here.source)
    agree(database, both, here.target)
    before = whose(database)
    row = here.merge()
    assert whose(database) == {
        (only.id, here.target.id), (both.id, here.target.id), (both.id, here.source.id),
    }  # fmt: skip
    here.undo(row)
    assert whose(database) == before
