"""The FHIR operations, one file each, named as the specification names them."""
