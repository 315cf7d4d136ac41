"""Every table that holds something about a person, in the words of the page that shows it.

One list, for the export and the erasure alike. A new table with a patient's id, or one that hangs
on a table with one, takes its place here or among the reasons of
`tests/service/subjects/test_every_table.py`.
"""

from service.models.consents import Consent, ConsentVersion
from service.models.enrollments import (
    Attendance,
    AttendanceChange,
    Enrollment,
    EnrollmentStatusChange,
)
from service.models.merges import Merge, MergeMove
from service.models.patients import Link, Patient, SentPatient
from service.models.rules import Agreement
from service.models.subjects import CorrectionRequest, Erasure, Restriction
from service.subjects.answered import ALERT_EVENTS, ALERTS, ANSWERS_BEFORE, RESPONSES
from service.subjects.emergencies import EMERGENCIES
from service.subjects.holding import Holding, Kind

PERSON = Holding(
    table=Patient,
    kind=Kind.PERSON,
    title="Who you are to us",
    shows={
        "family": "Family name",
        "given": "Given name",
        "gender": "Gender",
        "birth_date": "Born",
        "phone": "Telephone",
        "email": "E-mail",
        "line": "Street",
        "city": "City",
        "state": "State",
        "postal_code": "Postal code",
        "country": "Country",
        "language": "Language",
        "extensions": "Further, as it was sent",
    },
    by=("id",),
    hides={"merged_into_id": "is the other record of you on this page"},
)
LINKS = Holding(
    table=Link,
    kind=Kind.LINKS,
    title="Hospitals that know you",
    shows={
        "connection_id": "Hospital",
        "mrn": "Record number there",
        "mrn_system": "System of the number",
        "ehr_patient_id": "Id in its record system",
        "method": "How it was established",
        "confirmed_by": "Confirmed by",
        "confirmed_at": "Confirmed",
        "undone_at": "Undone",
        "undone_by": "Undone by",
        "undone_reason": "Why undone",
    },
    hides={"known_as_id": "is another record of you on this page"},
)
SENT = Holding(
    table=SentPatient,
    kind=Kind.SENT,
    title="Who you are, as a hospital sent it",
    shows={"connection_id": "Hospital", "received": "As it was sent"},
)
MERGES = Holding(
    table=Merge,
    kind=Kind.MERGES,
    title="Two records of you that became one",
    shows={
        "merged_at": "Merged",
        "merged_by": "By",
        "reason": "Why",
        "undone_at": "Undone",
        "undone_by": "Undone by",
        "undone_reason": "Why undone",
    },
    by=("source_id", "target_id"),
)
MOVES = Holding(
    table=MergeMove,
    kind=Kind.MERGES,
    title="What was moved when two records of you became one",
    shows={"table_name": "Kind of row", "moving": "What was done"},
    on=("merge_id", MERGES),
    hides={"row_id": "is another row on this page", "detail": "versions of documents"},
)
CONSENTS = Holding(
    table=Consent,
    kind=Kind.CONSENTS,
    title="Consents",
    shows={
        "connection_id": "To",
        "version": "Version",
        "changed_at": "Last changed",
        "decision": "Decision",
        "categories": "What",
        "purposes": "For what purpose",
        "labels": "Only what is marked",
        "start": "From",
        "end": "Until",
        "covers_part2": "Covers substance use records (42 CFR Part 2)",
        "shows_group_name": "Shows which group",
        "provisions": "Except",
        "evidence": "What shows it",
        "recorded_by": "Recorded by",
        "standing": "Standing",
        "settled_at": "Confirmed or refused",
        "settled_by": "Confirmed or refused by",
        "withdrawn_at": "Withdrawn",
        "withdrawn_by": "Withdrawn by",
    },
    hides={
        "retracted": "follows from what it said before",
        "sent_as": "is a document in the hospital's Bundle",
    },
)
CONSENTS_BEFORE = Holding(
    table=ConsentVersion,
    kind=Kind.CONSENTS,
    title="What consents said before they were changed",
    shows={"version": "Version", "since": "From", "said": "What it said"},
    on=("consent_id", CONSENTS),
)
ENROLMENTS = Holding(
    table=Enrollment,
    kind=Kind.ENROLMENTS,
    title="Groups",
    shows={
        "group_id": "Group",
        "status": "State",
        "start": "From",
        "end": "Until",
        "finish_reason": "Why it ended",
        "until": "State lasts until",
        "missed_offers": "Offers not answered",
        "guest": "As a guest",
    },
    hides={
        "queue_number": "is a place among other people",
        "transferred_from_id": "is another membership on this page",
        "made_for_id": "is another record of you on this page",
    },
)
COURSES = Holding(
    table=EnrollmentStatusChange,
    kind=Kind.ENROLMENTS,
    title="Course of each membership",
    shows={"status": "State", "start": "From", "end": "Until", "reason": "Reason"},
    on=("enrollment_id", ENROLMENTS),
)
AGREEMENTS = Holding(
    table=Agreement,
    kind=Kind.AGREEMENTS,
    title="Agreements to rules",
    shows={
        "agreed_at": "Agreed",
        "rules_id": "Version of the rules",
        "method": "How",
        "reference": "Reference",
        "witness": "Witness",
        "recorded_by": "Recorded by",
    },
    hides={"enrollment_id": "is a membership on this page"},
)
ATTENDANCE = Holding(
    table=Attendance,
    kind=Kind.ATTENDANCE,
    title="Attendance",
    shows={
        "session_id": "Session",
        "mark": "Mark",
        "arrived_at": "Arrived",
        "recorded_by": "Recorded by",
    },
    hides={"enrollment_id": "is a membership on this page"},
)
MARKS_BEFORE = Holding(
    table=AttendanceChange,
    kind=Kind.ATTENDANCE,
    title="What attendance said before it was corrected",
    shows={
        "replaced_at": "Replaced",
        "replaced_by": "By",
        "mark": "Mark",
        "arrived_at": "Arrived",
        "recorded_by": "Recorded by",
    },
    on=("attendance_id", ATTENDANCE),
)
RESTRICTIONS = Holding(
    table=Restriction,
    kind=Kind.REQUESTS,
    title="Restrictions of what is done with your data",
    shows={
        "restricted_at": "From",
        "until": "Until",
        "reason": "Why",
        "restricted_by": "By",
        "lifted_at": "Lifted",
        "lifted_by": "Lifted by",
    },
)
CORRECTIONS = Holding(
    table=CorrectionRequest,
    kind=Kind.REQUESTS,
    title="Corrections that you asked for",
    shows={
        "asked_at": "Asked",
        "asked_by": "By",
        "about": "About",
        "state": "State",
        "decided_at": "Decided",
        "decided_by": "Decided by",
        "decision": "Decision",
        "disagreement": "Your statement of disagreement",
        "told_at": "Told",
        "told_by": "Told by",
    },
)
ERASURES = Holding(
    table=Erasure,
    kind=Kind.REQUESTS,
    title="Erasures",
    shows={
        "began_at": "Began",
        "done_at": "Done",
        "basis": "Why",
        "erased_by": "By",
        "erased": "What was erased",
        "kept": "What was kept",
    },
    hides={"pending": "what is still to be done"},
)

# What hangs on another comes after it: rows are shown in this order, and go in the other.
HOLDINGS: tuple[Holding, ...] = (
    PERSON,
    LINKS,
    SENT,
    MERGES,
    MOVES,
    CONSENTS,
    CONSENTS_BEFORE,
    ENROLMENTS,
    COURSES,
    AGREEMENTS,
    ATTENDANCE,
    MARKS_BEFORE,
    RESPONSES,
    ANSWERS_BEFORE,
    ALERTS,
    ALERT_EVENTS,
    RESTRICTIONS,
    CORRECTIONS,
    EMERGENCIES,
    ERASURES,
)
