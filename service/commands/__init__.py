"""What can be asked of the domain: frozen, checked by the domain, executed in a unit of work.

An update leaves alone what is `UNSET`. `if_match` is the row version the caller has seen.
"""

from service.commands.connections import CreateConnection, CreateFacility, PostalAddress
from service.commands.consents import RecordConsent, WithdrawConsent
from service.commands.enrollments import ChangeEnrollment, Enroll, Mark, RecordAttendance
from service.commands.groups import (
    CreateFacilitator,
    CreateGroup,
    CreatePlace,
    CreateSession,
    UpdateGroup,
    UpdateSession,
)
from service.commands.merges import MergePatients, UnmergePatients
from service.commands.patients import (
    CreatePatient,
    LinkPatient,
    ReceivePatient,
    UndoLink,
    UpdatePatient,
)
from service.commands.screening import CorrectResponse, RecordResponse
from service.commands.unset import UNSET, Unset, changes

__all__ = [
    "UNSET",
    "ChangeEnrollment",
    "CorrectResponse",
    "CreateConnection",
    "CreateFacilitator",
    "CreateFacility",
    "CreateGroup",
    "CreatePatient",
    "CreatePlace",
    "CreateSession",
    "Enroll",
    "LinkPatient",
    "Mark",
    "MergePatients",
    "PostalAddress",
    "ReceivePatient",
    "RecordAttendance",
    "RecordConsent",
    "RecordResponse",
    "UndoLink",
    "UnmergePatients",
    "Unset",
    "UpdateGroup",
    "UpdatePatient",
    "UpdateSession",
    "WithdrawConsent",
    "changes",
]
