"""Measurement-based care: what is due, and what has changed since a person joined.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""
