"""One file for each FHIR interaction, named as the specification names it."""
