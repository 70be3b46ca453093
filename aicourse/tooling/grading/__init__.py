"""Homework: write one master notebook, release it, grade submissions that you do not trust, publish feedback.

Read in this order: `assignment` and `checks` (what an instructor writes), `execution` (what is asked of a
submission and what comes back), `sandbox` and `engine` (how it runs), `grade` (a folder of submissions),
`gradebook` and `feedback` (what is published), `similarity`, `cluster`.

Student code never meets an answer: it runs in a kernel of its own without network, is asked for values, and
what it answers is compared in the grader's process.
"""
