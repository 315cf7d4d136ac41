"""Search parameters of R4, by type; each names the definition it follows.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from service.fhir.mapping import ParameterType, SearchParameter

DEFINITIONS = "http://hl7.org/fhir/SearchParameter"


def token(name: str, path: str, definition: str) -> SearchParameter:
    return _parameter(name, "token", path, definition)


def string(name: str, path: str, definition: str) -> SearchParameter:
    return _parameter(name, "string", path, definition)


def date(name: str, path: str, definition: str) -> SearchParameter:
    return _parameter(name, "date", path, definition)


def id_of_patient(name: str, path: str, definition: str) -> SearchParameter:
    return _parameter(name, "reference", path, definition)


def _parameter(name: str, kind: ParameterType, path: str, definition: str) -> SearchParameter:
    return SearchParameter(name, kind, path, f"{DEFINITIONS}/{definition}")
