"""Enrolments: seats, the waitlist and its offers, holds, transfers and guests (ADR 0022)."""

from service.enrollments.enrolling import change_enrollment, enroll
from service.enrollments.guests import admit_guest, follow_session
from service.enrollments.offers import answer_offer, offer_seat
from service.enrollments.transfers import transfer_enrollment
from service.enrollments.waitlist import change_group, settle_group

__all__ = [
    "admit_guest",
    "answer_offer",
    "change_enrollment",
    "change_group",
    "enroll",
    "follow_session",
    "offer_seat",
    "settle_group",
    "transfer_enrollment",
]
