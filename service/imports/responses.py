"""Questionnaire responses: one instrument in a file, its items as columns, named by linkId.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from service.commands import CorrectResponse, RecordResponse
from service.errors import BusinessRuleError
from service.imports.cells import moment, whole
from service.imports.finding import PERSON, group, person
from service.imports.rows import Done, Outcome, Work
from service.imports.tables import Column, Kind, Values
from service.instruments import Instrument, load_instruments
from service.models.screening import Response

ABOUT = (
    *PERSON,
    Column("group", example="circle-1"),
    Column("authored", moment, "2026-01-20T17:45:00+01:00", required=True),
)


@dataclass(frozen=True)
class _Taking:
    """Takes in responses to one instrument; an alert is raised as for any other response."""

    instrument: Instrument

    def __call__(self, work: Work, values: Values) -> Done:
        who = person(work.session, values)
        where = group(work.session, values["group"]) if values["group"] else None
        links = [item.link_id for item in self.instrument.items]
        answers = {link: values[link] for link in links if values[link] is not None}
        known = self._known(work, who, values)
        if known is None:
            return self._record(work, who, where, values, answers)
        if known.group_id != where:
            raise BusinessRuleError("it is recorded with another group, or none", element="group")
        if known.answers == answers:
            return Done(Outcome.KNOWN)
        command = CorrectResponse(response_id=known.id, answers=answers, corrected_by=work.by)
        alert = work.run(command).alert
        return Done(Outcome.CHANGED, alert is not None and alert.raised_at == work.now)

    def _known(self, work: Work, who: UUID, values: Values) -> Response | None:
        """Return the response of this person to this instrument that was written then."""
        statement = select(Response).where(
            Response.patient_id == who,
            Response.instrument == self.instrument.id,
            Response.authored == values["authored"],
        )
        return work.session.exec(statement.order_by(col(Response.id))).first()

    def _record(
        self,
        work: Work,
        who: UUID,
        where: UUID | None,
        values: Values,
        answers: dict[str, int],
    ) -> Done:
        command = RecordResponse(
            patient_id=who,
            instrument=self.instrument.id,
            answers=answers,
            authored=values["authored"],
            group_id=where,
        )
        return Done(Outcome.ADDED, work.run(command).alert is not None)


def responses(instrument: Instrument) -> Kind:
    """Return the kind of table that has responses to this instrument."""
    items = instrument.items
    return Kind(
        "responses",
        (
            *ABOUT,
            *(
                Column(i.link_id, whole, str(min(i.values, default=0)), required=False)
                for i in items
            ),
        ),
        _Taking(instrument),
        {f"answers['{item.link_id}']": item.link_id for item in items} | {"group_id": "group"},
    )


def responses_of(names: Collection[str]) -> Kind:
    """Return the kind whose items most of these columns are."""
    kinds = [responses(each) for each in load_instruments().values()]
    return max(kinds, key=lambda kind: len(set(kind.header) & set(names)))
