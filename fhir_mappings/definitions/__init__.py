"""FHIR R4's own definitions as a table, and the checks that read it."""
