"""Evaluation from the command line: runs by name, and cases in other tools' formats."""
