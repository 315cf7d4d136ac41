"""What can be asked of the domain: frozen, checked by the domain, executed in a unit of work.

An update leaves alone what is `UNSET`. `if_match` is the row version the caller has seen.
"""

from service.commands.concerns import (
    AcknowledgeConcern,
    CloseConcern,
    RaiseConcern,
)
from service.commands.connections import (
    CreateConnection,
    CreateFacility,
    PostalAddress,
)
from service.commands.consents import (
    AmendConsent,
    ConsentTerms,
    ReceiveConsent,
    RecordConsent,
    SettleConsent,
    WithdrawConsent,
)
from service.commands.enrollments import (
    AnswerOffer,
    ChangeEnrollment,
    Enroll,
    Mark,
    OfferAnswer,
    OfferSeat,
    RecordAttendance,
    RecordPastEnrollment,
    RecordWalkIn,
    SettleGroup,
    TransferEnrollment,
)
from service.commands.facilitation import (
    AddCredential,
    ArrangeSupervision,
    CreateFacilitator,
    RecordSupervision,
    UpdateCredential,
    UpdateFacilitator,
)
from service.commands.glass import BreakGlass, EndGlass, GiveNotice, ReviewGlass
from service.commands.groups import (
    CreateGroup,
    CreatePlace,
    CreateSession,
    UpdateGroup,
    UpdateSession,
)
from service.commands.measurement import MeasurementPlan
from service.commands.merges import (
    MergePatients,
    UnmergePatients,
)
from service.commands.patients import (
    CreatePatient,
    LinkPatient,
    ReceivePatient,
    UndoLink,
    UpdatePatient,
)
from service.commands.rules import (
    PublishRules,
    RecordAgreement,
)
from service.commands.safety import (
    AcknowledgeAlert,
    CreateContact,
    EscalateAlert,
    ReportDanger,
    ResolveAlert,
    TestContact,
    UpdateContact,
)
from service.commands.screening import (
    CorrectResponse,
    RecordResponse,
)
from service.commands.series import (
    AddExtraSession,
    CloseCalendar,
    CreateSeries,
    EndSeries,
    ExceptOccurrence,
    OpenCalendar,
    PlanSeries,
    UpdateSeries,
)
from service.commands.subjects import (
    AddDisagreement,
    AskCorrection,
    DecideCorrection,
    LiftRestriction,
    RecordTold,
    RestrictProcessing,
)
from service.commands.unset import (
    UNSET,
    Unset,
    changes,
)

__all__ = [
    "UNSET",
    "AcknowledgeAlert",
    "AcknowledgeConcern",
    "AddCredential",
    "AddDisagreement",
    "AddExtraSession",
    "AmendConsent",
    "AnswerOffer",
    "ArrangeSupervision",
    "AskCorrection",
    "BreakGlass",
    "ChangeEnrollment",
    "CloseCalendar",
    "CloseConcern",
    "ConsentTerms",
    "CorrectResponse",
    "CreateConnection",
    "CreateContact",
    "CreateFacilitator",
    "CreateFacility",
    "CreateGroup",
    "CreatePatient",
    "CreatePlace",
    "CreateSeries",
    "CreateSession",
    "DecideCorrection",
    "EndGlass",
    "EndSeries",
    "Enroll",
    "EscalateAlert",
    "ExceptOccurrence",
    "GiveNotice",
    "LiftRestriction",
    "LinkPatient",
    "Mark",
    "MeasurementPlan",
    "MergePatients",
    "OfferAnswer",
    "OfferSeat",
    "OpenCalendar",
    "PlanSeries",
    "PostalAddress",
    "PublishRules",
    "RaiseConcern",
    "ReceiveConsent",
    "ReceivePatient",
    "RecordAgreement",
    "RecordAttendance",
    "RecordConsent",
    "RecordPastEnrollment",
    "RecordResponse",
    "RecordSupervision",
    "RecordTold",
    "RecordWalkIn",
    "ReportDanger",
    "ResolveAlert",
    "RestrictProcessing",
    "ReviewGlass",
    "SettleConsent",
    "SettleGroup",
    "TestContact",
    "TransferEnrollment",
    "UndoLink",
    "UnmergePatients",
    "Unset",
    "UpdateContact",
    "UpdateCredential",
    "UpdateFacilitator",
    "UpdateGroup",
    "UpdatePatient",
    "UpdateSeries",
    "UpdateSession",
    "WithdrawConsent",
    "changes",
]
