"""Synthetic people and places of the demo; README.md says where they come from."""
