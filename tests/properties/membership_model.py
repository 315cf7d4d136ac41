"""What a group's seats and waitlist are to do, said once more and without a database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

OFFER = timedelta(hours=72)
SEATED = {"active", "on-hold", "offered"}
MOVES = {
    "proposed": {"waitlisted", "active", "finished"},
    "waitlisted": {"active", "finished"},
    "offered": {"active", "finished"},
    "active": {"on-hold", "finished"},
    "on-hold": {"active", "finished"},
    "finished": set(),
}


@dataclass
class Place:
    """One person's enrolment."""

    person: int
    status: str
    until: datetime | None = None
    ticket: int = 0
    missed: int = 0


@dataclass
class Room:
    """One group: who is in it, who waits, in which order."""

    capacity: int
    automatic: bool = True
    open: bool = True
    places: list[Place] = field(default_factory=list)
    first: int = 0
    last: int = 0

    def free(self) -> int:
        return self.capacity - sum(one.status in SEATED for one in self.places)

    def line(self) -> list[Place]:
        """Everyone on the list, who is passed over too."""
        waiting = [one for one in self.places if one.status == "waitlisted"]
        return sorted(waiting, key=lambda one: one.ticket)

    def next(self) -> Place | None:
        return next((one for one in self.line() if one.until is None), None)

    def live(self, person: int) -> Place | None:
        found = [one for one in self.places if one.person == person and one.status != "finished"]
        return found[0] if found else None

    def queue(self, place: Place, *, ahead: bool) -> None:
        if ahead:
            self.first -= 1
            place.ticket = self.first
        else:
            self.last += 1
            place.ticket = self.last

    def settle(self, now: datetime) -> None:
        due = [one for one in self.places if one.until and one.until <= now]
        for place in sorted(due, key=lambda one: (one.until, one.ticket)):
            self._lapse(place)
        self.promote(now)

    def _lapse(self, place: Place) -> None:
        place.until = None
        if place.status == "on-hold":
            place.status = "active"
        elif place.status == "offered" and self.open:
            place.missed += 1
            place.status = "waitlisted" if place.missed == 1 else "finished"
            if place.status == "waitlisted":
                self.queue(place, ahead=False)
        elif place.status == "offered":
            place.status = "waitlisted"

    def promote(self, now: datetime) -> None:
        while self.automatic and self.open and self.offer(now):
            pass

    def offer(self, now: datetime) -> bool:
        place = self.next()
        if place is None or self.free() < 1:
            return False
        place.status, place.until = "offered", now + OFFER
        return True

    def may_sit(self, place: Place | None, *, ahead: bool) -> bool:
        return self.free() > 0 and (ahead or self.next() in (None, place))

    def enroll(self, person: int, status: str, now: datetime, *, ahead: bool) -> bool:
        """Tell whether the group takes this person; if so, it has."""
        self.settle(now)
        if not self.open or self.live(person) or (ahead and status == "proposed"):
            return False
        if status == "active" and not self.may_sit(None, ahead=ahead):
            return False
        place = Place(person, status)
        if status == "waitlisted":
            self.queue(place, ahead=ahead)
        self.places.append(place)
        self.promote(now)
        return True

    def move(self, place: Place, status: str, now: datetime, until: datetime | None) -> bool:
        self.settle(now)
        longer = status == place.status == "on-hold" and until not in {None, place.until}
        if status == place.status and not longer:
            return True
        if not longer and status not in MOVES[place.status]:
            return False
        if status == "active" and place.status != "on-hold":
            if not self.open:
                return False
            if place.status != "offered" and not self.may_sit(place, ahead=False):
                return False
        if status == "waitlisted":
            self.queue(place, ahead=False)
        place.status, place.until = status, until
        self.promote(now)
        return True

    def answer(self, place: Place, now: datetime, *, yes: bool, later: datetime | None) -> bool:
        self.settle(now)
        if place.status != "offered" or (yes and not self.open):
            return False
        place.until = None
        if yes:
            place.status = "active"
        elif later is None:
            place.status = "finished"
        else:
            place.status, place.until = "waitlisted", later
            self.queue(place, ahead=False)
        self.promote(now)
        return True
