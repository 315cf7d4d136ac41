"""The rules that members agree to: versions that never change, and who has agreed to which.

A group that has rules of its own follows these alone; every other follows the programme's.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.commands import PublishRules, RecordAgreement
from service.errors import BusinessRuleError, DuplicateError, InvalidError, RequiredError
from service.models.enrollments import Enrollment, EnrollmentStatus
from service.models.groups import SupportGroup
from service.models.rules import Agreement, AgreementMethod, RulesVersion
from service.patients import current
from service.rows import get, require_offset, require_text


def publish_rules(session: Session, command: PublishRules, now: datetime) -> RulesVersion:
    """Add a version; those before it stay as they are, and in force until it begins."""
    if command.group_id is not None:
        get(session, SupportGroup, command.group_id, "group_id")
    require_text(command.text, "text")
    require_text(command.published_by, "published_by")
    begins = require_offset(command.in_force_from or now, "in_force_from")
    if begins < now:
        raise BusinessRuleError("must not lie in the past", element="in_force_from")
    last = session.exec(
        select(RulesVersion).where(_of(command.group_id)).order_by(col(RulesVersion.number).desc())
    ).first()
    if last is not None and begins < last.in_force_from:
        rule = f"must not lie before {_moment(last)}, when version {last.number} begins"
        raise BusinessRuleError(rule, element="in_force_from")
    row = RulesVersion(
        group_id=command.group_id,
        number=last.number + 1 if last else 1,
        text=command.text,
        in_force_from=begins,
        published_by=command.published_by,
    )
    session.add(row)
    return row


def _of(group_id: UUID | None) -> ColumnElement[bool]:
    of = col(RulesVersion.group_id)
    return of.is_(None) if group_id is None else of == group_id


def _moment(row: RulesVersion) -> str:
    return row.in_force_from.isoformat().replace("+00:00", "Z")


def in_force(session: Session, group_id: UUID, now: datetime) -> RulesVersion | None:
    """Return the version that members of the group are to agree to now."""
    for whose in (group_id, None):
        begun = select(RulesVersion).where(_of(whose), col(RulesVersion.in_force_from) <= now)
        found = session.exec(begun.order_by(col(RulesVersion.number).desc())).first()
        if found is not None:
            return found
    return None


def record_agreement(session: Session, command: RecordAgreement, now: datetime) -> Agreement:
    """Record that a person agreed to a version, how, and who says so.

    Raises:
        DuplicateError: it is recorded already.
    """
    current(session, command.patient_id)
    rules = get(session, RulesVersion, command.rules_id, "rules_id")
    _check_how(command)
    agreed = require_offset(command.agreed_at or now, "agreed_at")
    if agreed > now:
        raise InvalidError("must not lie in the future", element="agreed_at")
    if command.enrollment_id is not None:
        _check_enrollment(session, command, rules)
    if _agreement(session, rules, command.patient_id) is not None:
        raise DuplicateError("the person agreed to this version already", element="rules_id")
    row = Agreement(**{**vars(command), "agreed_at": agreed})
    session.add(row)
    return row


def _check_how(command: RecordAgreement) -> None:
    require_text(command.recorded_by, "recorded_by")
    if command.method is AgreementMethod.E_SIGNATURE and not command.reference:
        raise RequiredError("an e-signature has a reference", element="reference")
    if command.method is AgreementMethod.VERBAL and not command.witness:
        raise RequiredError("an agreement by word of mouth has a witness", element="witness")


def _check_enrollment(session: Session, command: RecordAgreement, rules: RulesVersion) -> None:
    """Refuse an enrolment of somebody else, or in a group with other rules."""
    given = command.enrollment_id
    row = get(session, Enrollment, given, "enrollment_id") if given else None
    if row is None or row.patient_id != command.patient_id:
        raise InvalidError("must be an enrolment of this person", element="enrollment_id")
    if rules.group_id not in {None, row.group_id}:
        raise InvalidError("these are the rules of another group", element="enrollment_id")


def _agreement(session: Session, rules: RulesVersion, patient_id: UUID) -> Agreement | None:
    found = select(Agreement).where(
        Agreement.rules_id == rules.id, Agreement.patient_id == patient_id
    )
    return session.exec(found).first()


def require_agreement(
    session: Session, group: SupportGroup, patient_id: UUID, now: datetime
) -> None:
    """Raise BusinessRuleError where the group wants an agreement that the person has not given."""
    if not group.rules_required:
        return
    rules = in_force(session, group.id, now)
    if rules is None:
        raise BusinessRuleError(
            "the group requires agreement to its rules, and no version of them is in force",
            element="status",
        )
    if _agreement(session, rules, patient_id) is None:
        whose = "programme" if rules.group_id is None else "group"
        raise BusinessRuleError(
            f"needs the person's agreement to version {rules.number} of the {whose}'s rules, in"
            f" force from {_moment(rules)} ({rules.id})",
            element="status",
        )


def yet_to_agree(rules: RulesVersion, now: datetime) -> SelectOfScalar[Enrollment]:
    """Return the statement for enrolments under this version whose person has not agreed to it.

    Those that have finished are left out; one that begins later is looked at as of then.
    """
    agreed = select(Agreement.id).where(
        Agreement.rules_id == rules.id, Agreement.patient_id == Enrollment.patient_id
    )
    found = select(Enrollment).where(
        Enrollment.status != EnrollmentStatus.FINISHED, ~agreed.exists()
    )
    if rules.group_id is not None:
        return found.where(Enrollment.group_id == rules.group_id)
    own = aliased(RulesVersion)
    at = max(now, rules.in_force_from)
    apart = select(own.id).where(
        col(own.group_id) == col(Enrollment.group_id), col(own.in_force_from) <= at
    )
    return found.where(~apart.exists())
