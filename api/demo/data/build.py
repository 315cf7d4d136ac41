"""Trim Synthea's bulk export to what the demo uses. Run by hand, with its folders as arguments.

    python -m api.demo.data.build FOLDER [FOLDER ...]

https://github.com/smart-on-fhir/sample-bulk-fhir-datasets
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
KEPT_EXTENSIONS = tuple(US_CORE + name for name in ("race", "ethnicity", "birthsex"))
TOWNS = 80
FACILITATORS = 32


def main(folders: list[str]) -> None:
    """Write patients.json, towns.json and practitioners.json beside this file."""
    paths = [Path(folder) for folder in folders]
    patients = {row["id"]: patient(row) for row in rows(paths, "Patient")}
    write("patients.json", [patients[key] for key in sorted(patients)])
    write("towns.json", towns(rows(paths, "Organization"), rows(paths, "Location")))
    named = {row["id"]: practitioner(row) for row in rows(paths, "Practitioner")}
    write("practitioners.json", [named[key] for key in sorted(named)][:FACILITATORS])


def rows(folders: list[Path], kind: str) -> Iterator[dict[str, Any]]:
    for folder in folders:
        for file in sorted(folder.glob(f"{kind}.*.ndjson")):
            yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def patient(row: dict[str, Any]) -> dict[str, Any]:
    """Return one person without numbers, deaths and places of birth."""
    name = next(name for name in row["name"] if name["use"] == "official")
    [address] = row["address"]
    return {
        "id": row["id"],
        "family": name["family"],
        "given": " ".join(name["given"]),
        "gender": row["gender"],
        "birth_date": row["birthDate"],
        "phone": row["telecom"][0]["value"],
        "line": address["line"][0],
        "city": address["city"],
        "state": address["state"],
        "postal_code": address["postalCode"],
        "country": address["country"],
        "language": row["communication"][0]["language"]["coding"][0]["code"],
        "extensions": [e for e in row["extension"] if e["url"] in KEPT_EXTENSIONS],
    }


def practitioner(row: dict[str, Any]) -> dict[str, Any]:
    [name] = row["name"]
    return {"family": name["family"], "given": " ".join(name["given"])}


def towns(*sources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each town once: the institutions themselves exist and have no part in this."""
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        for row in source:
            given = row.get("address") or {}
            address = given[0] if isinstance(given, list) else given
            if {"city", "state", "postalCode"} <= address.keys():
                found.setdefault(address["city"].title(), address)
    return [
        {"city": city, "state": found[city]["state"], "postal_code": found[city]["postalCode"][:5]}
        for city in sorted(found)
    ][:TOWNS]


def write(name: str, content: list[dict[str, Any]]) -> None:
    """One row on each line, so that a difference can be read."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in content)
    (HERE / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
