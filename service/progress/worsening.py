"""Whether a response says that a person is worse than at the beginning by more than error.

It is compared with what the same sender recorded before: what a hospital is told, be it by the
answer to a write, must depend on nothing that it may not have.
"""

from datetime import datetime

from sqlmodel import Session as DbSession

from service.instruments import ChangeKind, instrument
from service.models.screening import Response
from service.progress.change import Finding, Result
from service.progress.reading import COUNTED, scores_of
from service.progress.series import Progress, compared


def worsened_reliably(session: DbSession, response: Response, now: datetime) -> tuple[str, ...]:
    """Return the rules of reliable change, as `questionnaire/rule`, by which it is a deterioration.

    Empty where the person is not worse by any, where the questionnaire has no such rule, and
    where the response is the baseline or does not count.
    """
    form = instrument(response.instrument)
    has_rule = any(rule.kind is ChangeKind.RELIABLE for rule in form.change)
    if not has_rule or response.status not in COUNTED:
        return ()
    found = scores_of(session, response, form, now)
    return tuple(
        f"{response.instrument}/{finding.rule.id}"
        for each in found
        for finding in _until(each, response.id.hex)
        if finding.rule.kind is ChangeKind.RELIABLE and finding.result is Result.DETERIORATED
    )


def _until(found: Progress, key: str) -> tuple[Finding, ...]:
    """Compare this response with the baseline, whatever came after it."""
    point = next((each for each in found.points if each.key == key), None)
    return compared(found.form, found.score, found.baseline, point)
