"""Random elements, many of them odd: accents, escapes, open periods, codes without a system."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]


class Elements:
    """Elements of R4's data types; who knows which documents there are makes the references."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def reference(self, *types: str) -> Json:
        raise NotImplementedError

    def maybe(self, value: Callable[[], Any], chance: float = 0.7) -> Any:
        return value() if self.rng.random() < chance else None

    def some(self, value: Callable[[], Any], most: int = 2) -> list[Any]:
        return [value() for _ in range(self.rng.randint(0, most))]

    def one(self, *values: Any) -> Any:
        return self.rng.choice(values)

    def word(self) -> str:
        return self.one(
            "Ann", "Anna", "anna", "Änne", "ANNE Marie", "José", "Jose", "O'Neil", "Straße", "a_b",
            "100%", "Ann, Marie", "A|B$C", "back\\slash", "Łódź", "x" * 300, "Marie  Curie", "Żółw",
        )  # fmt: skip

    def coding(self) -> Json:
        found = {
            "system": self.one("http://a", "http://b", "http://a|1"),
            "code": self.one("x", "y", "z", "X", "a,b", "44261-6"),
            "display": self.maybe(self.word, 0.3),
        }
        left_out = self.one("system", "code", None, None, None, None, None, None)
        return {k: v for k, v in found.items() if v is not None and k != left_out}

    def concept(self) -> Json:
        found = {"coding": self.some(self.coding), "text": self.maybe(self.word, 0.4)}
        return {k: v for k, v in found.items() if v} or {"text": "only text"}

    def identifier(self) -> Json:
        found = {
            "system": self.maybe(lambda: self.one("urn:mrn", "urn:ssn")),
            "value": self.maybe(lambda: self.one("1", "2", "3", "1|2"), 0.9),
            "type": self.maybe(self.concept, 0.3),
        }
        return {k: v for k, v in found.items() if v} or {"use": "official"}

    def date(self) -> str:
        day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=self.rng.randrange(900))
        return day.strftime(self.one("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d"))

    def moment(self) -> str:
        if self.rng.random() < 0.3:
            return self.date()
        at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=self.rng.randrange(70_000_000))
        zone = self.one("Z", "+00:00", "+05:30", "-08:00")
        return at.strftime("%Y-%m-%dT%H:%M:%S") + self.one("", ".1", ".123", ".123456789") + zone

    def instant(self) -> str:
        at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=self.rng.randrange(70_000_000))
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def period(self) -> Json:
        first, second = sorted([self.instant(), self.instant()])
        return self.one({"start": first}, {"end": second}, {"start": first, "end": second})

    def quantity(self) -> Json:
        found: Json = {
            "value": self.one(5, 5.4, 5.35, 5.45, 5.40, 100, 95, 0, -3, 0.05, 1e6, 149.9)
        }
        if self.rng.random() < 0.7:
            found |= {"unit": self.one("mg", "kg"), "code": self.one("mg", "g")}
            found["system"] = "http://unitsofmeasure.org"
        if self.rng.random() < 0.4:
            found["comparator"] = self.one("<", "<=", ">", ">=")
        return found

    def name(self) -> Json:
        return {"family": self.word(), "given": self.some(self.word) or ["G"]}

    def address(self) -> Json:
        return {"city": self.word(), "line": [self.word()], "postalCode": self.one("123", "124")}

    def said(self) -> Json:
        """What a sender says in `meta`."""
        found = {
            "tag": self.some(self.coding),
            "profile": self.some(lambda: self.one("http://p/1", "http://p/2", "http://p/1|2"), 2),
            "source": self.maybe(lambda: self.one("http://s/1", "http://s/2")),
        }
        return {name: value for name, value in found.items() if value}

    def telecom(self) -> Json:
        return {"system": self.one("phone", "email"), "value": self.one("555", "556")}
