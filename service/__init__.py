"""What the product does; knows neither a web framework nor FHIR classes."""
