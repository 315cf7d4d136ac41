"""Everything that starts a process or speaks HTTP."""
