"""Imports from nbgrader and otter-grader."""
