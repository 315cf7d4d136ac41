"""Files of patients, groups, rosters, attendance and responses, taken in row by row (ADR 0027)."""
