"""What answers are allowed, what they come to, and which safety rules they meet; all of it pure.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from service.scoring.checks import Problem, check_answers
from service.scoring.results import Score, Scored
from service.scoring.safety import SafetyHit, safety_hits
from service.scoring.scores import score

__all__ = [
    "Problem",
    "SafetyHit",
    "Score",
    "Scored",
    "check_answers",
    "safety_hits",
    "score",
]
