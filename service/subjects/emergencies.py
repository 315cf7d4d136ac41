"""Break-the-glass, in the words of the page that shows a person what is held about them."""

from service.models.glass import BrokenGlass
from service.subjects.holding import Holding, Kind

EMERGENCIES = Holding(
    table=BrokenGlass,
    kind=Kind.EMERGENCIES,
    title="Times that somebody saw what is closed to them otherwise (break-the-glass)",
    shows={
        "connection_id": "Of the hospital",
        "purpose": "For what",
        "begun_at": "From",
        "until": "Until",
        "ended_at": "Ended before that",
        "verdict": "What the privacy officer found",
        "reviewed_at": "Reviewed",
        "notice_given_at": "You were told",
    },
    hides={
        "client_id": "is the program by which it was asked",
        "client": "is the program by which it was asked",
        "person": "is who it was, by a pseudonym that the hospital can resolve",
        "reason": "is encrypted, and the privacy officer's to tell",
        "ended_by": "is who ended it",
        "closes_at": "is until or ended, once more",
        "reviewed_by": "is the privacy officer",
        "notice_due": "is whether you are still to be told",
        "notice_given_by": "is who told you",
    },
)
