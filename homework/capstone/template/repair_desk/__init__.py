"""The repair café's desk: one feature, its evaluation, and what is watched when people use it."""
