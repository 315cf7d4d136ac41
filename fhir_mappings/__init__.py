"""One file per resource type: frozen rows in, plain dicts out, and back."""
