"""Two records of one person: merged, and parted again (ADR 0028)."""

from service.merging.merge import merge_patients
from service.merging.unmerge import unmerge_patients

__all__ = ["merge_patients", "unmerge_patients"]
