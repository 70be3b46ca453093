"""Strict doubles of the hosted APIs: they refuse what the real ones do, and answer from the recordings."""
