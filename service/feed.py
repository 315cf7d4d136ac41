"""A facilitator's sessions as an iCalendar document.

Every time is in UTC: each session stands by itself, so that no reader has to know a rule or the
changes of a clock. Those of a series share its UID and tell themselves apart by RECURRENCE-ID, as
occurrences do of which someone has no rule. https://www.rfc-editor.org/rfc/rfc5545
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from icalendar import Calendar
from icalendar import Event as Component

from service.calendars import Event

PRODUCT = "-//Alongside//Sessions of a facilitator//EN"
NAME = "Sessions"  # the programme's own name would say what they are
REFRESH = timedelta(hours=6)


def as_icalendar(events: Iterable[Event]) -> bytes:
    """Return the document; the same events make the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", NAME)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for each in events:
        calendar.add_component(_component(each))
    content: bytes = calendar.to_ical()
    return content


def tag_of(content: bytes) -> str:
    """Return an entity tag of the document."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _component(event: Event) -> Component:
    found = Component()
    found.add("uid", str(event.uid))
    if event.recurrence_id is not None:
        found.add("recurrence-id", event.recurrence_id)
    found.add("dtstamp", event.revised_at)
    found.add("sequence", event.revision)
    found.add("status", "CANCELLED" if event.is_cancelled else "CONFIRMED")
    found.add("class", "PRIVATE")
    found.add("dtstart", event.start)
    found.add("dtend", event.end)
    found.add("summary", event.summary)
    if event.place:
        found.add("location", event.place)
    return found
