"""Judging: a submission is run, asked, compared, and becomes a result."""
