"""Submissions: found, read and put back in order, whatever state they are in."""
