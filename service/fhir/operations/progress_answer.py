"""What $progress answers, as Parameters.

https://hl7.org/fhir/R4/parameters.html
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from service.clock import microseconds
from service.fhir.high_water import high_water
from service.progress.change import Finding
from service.progress.series import Point, Progress
from service.progress.wording import said

Json = dict[str, Any]
ATTENDANCE = "/attendance"


class Shown(NamedTuple):
    """A score over time, with the id of the Observation of each of its points."""

    progress: Progress
    ids: dict[str, str]


def answered(
    shown: Iterable[Shown], visits: Iterable[Json], since: int | None, made_of: Iterable[bytes]
) -> bytes:
    """Return the Parameters, labelled as the documents that they are made of.

    Points and visits before `since` are left out.
    """
    listed = [_parts("score", _score(each, since)) for each in shown]
    for visit in visits:
        start = visit["period"]["start"]
        if since is None or microseconds(datetime.fromisoformat(start)) >= since:
            listed.append(_parts("attended", _attended(visit)))
    meta = orjson.loads(b"{%b}" % high_water(made_of))
    parameters = {"parameter": listed} if listed else {}
    return orjson.dumps({"resourceType": "Parameters", **meta, **parameters})


def _score(shown: Shown, since: int | None) -> Iterator[Json]:
    found, ids = shown
    yield {"name": "questionnaire", "valueCanonical": found.form.canonical}
    yield {"name": "score", "valueCode": found.score.id}
    yield {"name": "display", "valueString": found.score.display}
    if found.score.direction is not None:
        yield {"name": "direction", "valueCode": found.score.direction.value}
    yield {"name": "baseline-rule", "valueCode": found.rule.value}
    for name, point in (("baseline", found.baseline), ("last", found.last)):
        if point is not None:
            yield {"name": name, "valueReference": _observation(ids, point)}
    yield {"name": "not-scorable", "valueInteger": found.not_scorable}
    for kind in found.silent:
        yield {"name": "without-rule", "valueCode": kind.value}
    for finding in found.findings:
        yield _parts("finding", _finding(finding))
    for point in found.points:
        if since is None or microseconds(point.at) >= since:
            yield _parts("point", _point(ids, point))


def _observation(ids: dict[str, str], point: Point) -> Json:
    return {"reference": f"Observation/{ids[point.key]}"}


def _point(ids: dict[str, str], point: Point) -> Iterator[Json]:
    yield {"name": "observation", "valueReference": _observation(ids, point)}
    yield {"name": "effective", "valueDateTime": _instant(point.at)}
    for name, value in (
        ("value", point.value),
        ("from-baseline", point.from_baseline),
        ("from-last", point.from_last),
    ):
        if value is not None:
            yield {"name": name, "valueDecimal": _number(value)}
    if point.band is not None:
        yield {"name": "band", "valueString": point.band.label}


def _finding(finding: Finding) -> Iterator[Json]:
    rule = finding.rule
    yield {"name": "rule", "valueCode": rule.id}
    yield {"name": "kind", "valueCode": rule.kind.value}
    yield {"name": "says", "valueString": said(rule)}
    yield {"name": "source", "valueString": rule.source}
    yield {"name": "confirmed", "valueBoolean": rule.confirmed}
    yield {"name": "result", "valueCode": finding.result.value}
    if finding.reason is not None:
        yield {"name": "reason", "valueString": finding.reason}


def _attended(visit: Json) -> Iterator[Json]:
    yield {"name": "encounter", "valueReference": {"reference": f"Encounter/{visit['id']}"}}
    yield {"name": "start", "valueDateTime": visit["period"]["start"]}
    for each in visit.get("extension", ()):
        if each["url"].endswith(ATTENDANCE):
            yield {"name": "mark", "valueCode": each["valueCode"]}


def _parts(name: str, parts: Iterable[Json]) -> Json:
    return {"name": name, "part": list(parts)}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
