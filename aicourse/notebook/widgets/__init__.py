"""Views to touch in a notebook: failures of a run, notes about them, the difference of two prompts.

    from aicourse.notebook.widgets import code_failures, explore, show_diff

Each view is a plain object that knows its state and draws itself as text and as HTML; where somebody can
press buttons, it is shown with controls of ipywidgets instead, loaded at that moment. Papermill,
nbconvert and the site get the HTML: no state is stored, nothing is fetched, the same bytes each time.

Read in this order: `html` (pieces), `fields` (expected against got), `case_view` (one record), `browsing`
(which records), then the views: `explorer`, `coding`, `prompt_diff`.
"""

from aicourse.notebook.widgets.coding import CodingSession, code_failures
from aicourse.notebook.widgets.explorer import Explorer, explore
from aicourse.notebook.widgets.prompt_diff import PromptDiffView, show_diff

__all__ = ["CodingSession", "Explorer", "PromptDiffView", "code_failures", "explore", "show_diff"]
