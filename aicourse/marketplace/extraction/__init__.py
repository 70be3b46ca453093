"""A listing's text (and photo) becomes validated attributes.

Read in this order: `attributes` (what is asked for), `replies` (a reply becomes attributes or a problem),
`words` and `grounding` (is it in the listing at all), `photo_conflicts` (does the photo agree), `recipes`
(what each prompt version uses of this), `extracting` (all of it). Lessons import from `aicourse.marketplace`.
"""
