"""QuestionnaireResponses to validate, and what is found in them."""

from pathlib import Path

from fhir_mappings.structure import validate
from service.fhir.lexical import parse

SAMPLES = sorted((Path(__file__).parents[1] / "data").glob("QuestionnaireResponse-*.json"))
SECRET = "Ann Example"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def response(**members):
    return {"resourceType": "QuestionnaireResponse", "status": "completed", **members}


def answered(**answer):
    return response(item=[{"linkId": "1", "answer": [answer]}])


def found(resource):
    issues = validate(resource)
    assert all(issue.severity == "error" for issue in issues)
    assert SECRET not in repr(issues)
    return {(issue.expression.partition(".")[2], issue.code) for issue in issues}


def narrated(div):
    return response(text={"status": "generated", "div": div})


def sample():
    return parse(SAMPLES[0].read_bytes()).value
