"""Make search_parameters.json from HL7's official SearchParameters, by hand when one is added.

    python -m fhir_mappings.definitions.build_search R4_FOLDER US_CORE_FOLDER

R4_FOLDER holds search-parameters.json of HL7's definitions.json.zip, US_CORE_FOLDER the
SearchParameters of US Core; both are CC0-1.0. What is listed here is what is indexed and searched.
https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SEARCHED = {
    "Patient": "identifier active gender name family given birthdate death-date deceased email"
    " phone telecom address address-city address-state address-postalcode language"
    " general-practitioner organization",
    "RelatedPerson": "identifier active patient name relationship gender birthdate email phone"
    " telecom address",
    "Practitioner": "identifier active name family given gender email phone telecom address"
    " address-city address-state address-postalcode",
    "PractitionerRole": "identifier active practitioner organization location role specialty"
    " service date email phone telecom endpoint",
    "Organization": "identifier active type name partof address address-city address-state"
    " address-postalcode",
    "Location": "identifier status name type organization partof address address-city"
    " address-state address-postalcode",
    "Condition": "identifier patient subject category clinical-status verification-status code"
    " encounter recorded-date onset-date abatement-date severity asserter",
    "CarePlan": "identifier patient subject category status intent date encounter goal condition"
    " care-team activity-reference activity-code based-on",
    "CareTeam": "identifier patient subject status category participant date encounter",
    "Goal": "identifier patient subject lifecycle-status achievement-status category start-date"
    " target-date",
    "Encounter": "identifier patient subject status class type date location participant"
    " practitioner service-provider episode-of-care reason-code reason-reference part-of"
    " appointment based-on",
    "EpisodeOfCare": "identifier patient status type date organization care-manager condition"
    " incoming-referral",
    "Observation": "identifier patient subject status category code date value-quantity"
    " value-concept value-string value-date encounter performer derived-from has-member based-on"
    " focus part-of code-value-quantity code-value-concept code-value-string code-value-date"
    " data-absent-reason combo-code component-code component-value-quantity"
    " component-value-concept method specimen",
    "QuestionnaireResponse": "identifier patient subject status questionnaire authored author"
    " source encounter based-on part-of",
    "ServiceRequest": "identifier patient subject status intent category code authored occurrence"
    " requester performer performer-type encounter based-on priority requisition replaces",
    "Task": "identifier patient subject status business-status intent code focus owner requester"
    " authored-on modified period part-of based-on group-identifier priority performer encounter",
    "Consent": "identifier patient status category scope date period actor consentor organization"
    " source-reference action purpose security-label",
    "Communication": "identifier patient subject status category sent received sender recipient"
    " based-on part-of encounter medium",
    "DocumentReference": "identifier patient subject status type category date period author"
    " custodian encounter security-label related setting format relatesto contenttype location",
    "List": "identifier patient subject status code date item source encounter title empty-reason",
    "Group": "identifier type actual code member managing-entity characteristic",
    "Provenance": "target patient agent recorded when agent-type agent-role location entity",
    "HealthcareService": "identifier active name organization location service-type"
    " service-category specialty program characteristic coverage-area",
    "Questionnaire": "identifier url version status name title code date context context-type"
    " publisher subject-type description effective definition",
    "Appointment": "identifier patient actor practitioner location status service-type date"
    " appointment-type based-on reason-code part-status",
    "Flag": "identifier patient subject date encounter author",
    "CodeSystem": "url version name title status date description content-mode code system",
    "NamingSystem": "name status description",
    "OperationDefinition": "url version name title status description code kind base system type"
    " instance",
    "StructureDefinition": "url version name title status description type base kind ext-context",
    "ValueSet": "url version name title status date description reference",
}
US_CORE = {
    "Condition": ("asserted-date",),
    "CareTeam": ("role",),
    "Goal": ("description",),
    "Encounter": ("discharge-disposition",),
}
COMPONENT = re.compile(r"(?:combo-)?(code)-(value-\w+)")


def parameters(r4: Path, us_core: Path) -> dict[str, dict[str, Json]]:
    """Return each type's parameters by name."""
    bundle = json.loads((r4 / "search-parameters.json").read_text())
    official = [entry["resource"] for entry in bundle["entry"]]
    own = [json.loads(path.read_text()) for path in sorted(us_core.glob("SearchParameter/*.json"))]
    return {
        name: _of_type(name, wanted.split(), official)
        | _of_type(name, list(US_CORE.get(name, ())), own)
        for name, wanted in SEARCHED.items()
    }


def _of_type(name: str, wanted: list[str], definitions: list[Json]) -> dict[str, Json]:
    by_code = {d["code"]: d for d in definitions if name in d["base"]}
    return {code: _parameter(name, by_code[code]) for code in wanted}


def _parameter(name: str, definition: Json) -> Json:
    found: Json = {
        "type": definition["type"],
        "expression": _about(name, definition["expression"]),
        "definition": definition["url"],
    }
    if targets := definition.get("target"):
        found["targets"] = sorted(targets)
    if definition["type"] == "composite":
        parts = COMPONENT.fullmatch(definition["code"])
        found["components"] = list(parts.groups()) if parts else []
    return found


def _about(name: str, expression: str) -> str:
    """Return the alternatives of an expression that are about one type."""
    parts, depth = [""], 0
    for char in expression:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return " | ".join(p.strip() for p in parts if re.match(rf"\s*\(*{name}\b", p))


if __name__ == "__main__":
    table = parameters(Path(sys.argv[1]), Path(sys.argv[2]))
    text = json.dumps(table, ensure_ascii=False, indent=0, sort_keys=True)
    Path(__file__).with_name("search_parameters.json").write_text(text + "\n")
