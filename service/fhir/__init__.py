"""The FHIR engine: knows FHIR's rules, not our resources."""
