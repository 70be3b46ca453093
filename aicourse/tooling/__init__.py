"""Tooling: what makes a course run (local model, lessons, grading, command line); no lesson imports it."""
