"""Views to touch in a notebook: failures of a run, notes, a sample to judge, two prompts.

    from aicourse.notebook import code_failures, explore, show_diff

Each view is a plain object that knows its state and draws itself as text and as HTML; where somebody can
press buttons, it is shown with controls of ipywidgets instead, loaded at that moment. Papermill,
nbconvert and the site get the HTML: no state is stored, nothing is fetched, the same bytes each time.

Read in this order: `pieces` (one level up), `fields` (expected against got), `case_view` (one record),
`browsing` (which records), then the views: `explorer`, `coding`, `annotating`, `prompt_diff`.
"""
