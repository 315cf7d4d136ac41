"""Questionnaires that can be recorded here, with what is needed to show and answer them.

https://hl7.org/fhir/R4/questionnaire.html
"""

from fastapi import APIRouter, Response
from pydantic import Field

from api.routes.v1.calls import Reading, show_list
from api.routes.v1.paging import Paged, cut, decode, encode
from api.routes.v1.schema import Page, Schema
from service.instruments import load_instruments

router = APIRouter(tags=["instruments"])


class AnswerOut(Schema):
    code: str | None = Field(
        description="LOINC answer code; null where none was found", examples=["LA6570-1"]
    )
    display: str | None = Field(
        description="Its words; null where they may not ship", examples=["More than half the days"]
    )
    value: int = Field(description="The number that is sent for it, as printed", examples=[2])
    score: int | None = Field(
        description="What it counts; null where that is nothing", examples=[2]
    )


class ItemOut(Schema):
    link_id: str = Field(description="Key of the answer", examples=["/44250-9"])
    code: str | None = Field(
        description="LOINC code; null where none was found", examples=["44250-9"]
    )
    text: str | None = Field(
        description="The question; null where its words may not ship",
        examples=["Little interest or pleasure in doing things"],
    )
    label: str = Field(description="A short name for it", examples=["Item 1"])
    scored: bool = Field(description="Whether it is part of a score", examples=[True])
    answers: list[AnswerOut] = Field(
        description="What can be answered", examples=[[AnswerOut.example()]]
    )


class BandOut(Schema):
    minimum: int = Field(description="Lowest total", examples=[10])
    maximum: int = Field(description="Highest total", examples=[14])
    label: str = Field(description="What it is called", examples=["moderate"])
    sex: str | None = Field(
        description="For whom the cut-off differs; null is for everybody else", examples=[None]
    )


class ScoreRuleOut(Schema):
    id: str = Field(description="Its name in `scores` of a response", examples=["total"])
    code: str | None = Field(
        description="LOINC code; null where none was found", examples=["44261-6"]
    )
    display: str = Field(description="What it is called", examples=["PHQ-9 total score"])
    minimum: float = Field(description="Lowest value", examples=[0])
    maximum: float = Field(description="Highest value", examples=[27])
    direction: str | None = Field(
        description="Whether higher is worse or better; null where no source says",
        examples=["worse"],
    )


class LicenceOut(Schema):
    statement: str = Field(
        description="Terms of use",
        examples=["No permission required to reproduce, translate, display or distribute."],
    )
    attribution: str = Field(description="To be shown with it", examples=["Developed by ..."])
    loinc_notice: str | None = Field(
        description="To be shown with LOINC codes", examples=["This material contains ..."]
    )


class InstrumentOut(Schema):
    id: str = Field(description="Its name in requests", examples=["phq-9"])
    version: str = Field(description="Newest version", examples=["1.0.0"])
    name: str = Field(description="What people call it", examples=["PHQ-9"])
    canonical: str = Field(
        description="Canonical of the FHIR Questionnaire",
        examples=["https://alongside.example/fhir/Questionnaire/phq-9|1.0.0"],
    )
    stem: str | None = Field(
        description="The words before the items; null where they may not ship",
        examples=["Over the last 2 weeks, how often have you been bothered by ..."],
    )
    minimum: int = Field(description="Lowest total", examples=[0])
    maximum: int = Field(description="Highest total", examples=[27])
    items: list[ItemOut] = Field(description="Its items", examples=[[ItemOut.example()]])
    scores: list[ScoreRuleOut] = Field(
        validation_alias="reported_scores",
        description="What is scored, the total first",
        examples=[[ScoreRuleOut.example()]],
    )
    bands: list[BandOut] = Field(
        description="Severity bands of the total", examples=[[BandOut.example()]]
    )
    gaps: list[str] = Field(description="What is missing of it here", examples=[[]])
    licence: LicenceOut = Field(description="Whose it is", examples=[LicenceOut.example()])


class Instruments(Page):
    items: list[InstrumentOut]


@router.get("/instruments", response_model=Instruments)
def list_instruments(call: Reading, page: Paged) -> Response:
    """The newest version of each."""
    after = decode(page.cursor, 1)[0] if page.cursor is not None else ""
    known = sorted((each for name, each in load_instruments().items() if name > after), key=_id)
    found, last = cut(known, page.limit)
    items = [InstrumentOut.model_validate(each) for each in found]
    return show_list(call, Instruments, (items, encode(last.id) if last else None))


def _id(each: object) -> str:
    name: str = each.id  # type: ignore[attr-defined]
    return name
