"""Evaluation: cases, scorers, runs, comparisons and the gate.

Read in this order: `scores` (what a score is), `scorers` (ready-made ones) with `sizes`, `cases` (the
evaluation set) with `formats` (other tools' files), `runner` (a task over the cases) with `runs`, `records`
and `summaries` (what it leaves), `statistics` and `compare` (two runs), `gate` (may it ship?), `report` (all
of it in one HTML file).

    from aicourse.evals import cases, compare, gate, runner, scorers

The nouns and the idea that the type of a score is its meaning follow pydantic_evals.
"""
