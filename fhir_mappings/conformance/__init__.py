"""The definitions of this project as resources: what its codes, extensions and systems mean."""
