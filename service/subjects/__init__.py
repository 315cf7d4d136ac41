"""Everything about one person: shown to them, or erased as far as the law lets (ADR 0039)."""
