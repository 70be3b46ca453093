"""Conflicts of photo and text of a listing about the colour.

Only colours are compared, because only they are measured in a photo (`llm.photos`), and only where the text
names one: a colour that the text leaves out may come from the photo. The measure is coarse (grey, silver and
white in poor light are the same to it), so neighbours do not count as a conflict. A conflict is for a person
to look at; the attributes keep the text's word.
"""

from __future__ import annotations

from pathlib import Path

from aicourse.marketplace.extraction.attributes import Attributes
from aicourse.marketplace.extraction.grounding import ungrounded

# light, white balance and a phone's camera turn one of these into another
_NEIGHBOURS = (
    {"white", "beige", "grey", "silver", "transparent"},
    {"grey", "silver", "black"},
    {"beige", "brown", "gold", "orange", "yellow"},
    {"red", "orange", "pink", "brown"},
    {"purple", "pink", "blue"},
    {"blue", "turquoise", "green", "black"},
)


def photo_colours(photo: Path | str | bytes) -> tuple[str, ...]:
    """The colours of the thing in the photo, largest first, as a program measures them.

    Raises:
        PhotoError: it is no picture.
    """
    from aicourse.llm.photos.description import (
        describe_photo,  # numpy and Pillow: only where there is a photo
    )

    return tuple(colour.name for colour in describe_photo(photo).colours)


def conflicts(attributes: Attributes, text: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence for each attribute that the photo contradicts: none, or the colours.

    >>> from aicourse.marketplace.extraction.attributes import LooseAttributes
    >>> conflicts(LooseAttributes(colours=["blue"]), "blue coat", ("red", "white"))
    ('colours: the text says blue, the photo shows red and white',)
    """
    absent = {finding.value for finding in ungrounded(attributes, text) if finding.field == "colours"}
    stated = [colour for colour in attributes.colours if colour not in absent]
    if not stated or not shown or "multicolour" in (*stated, *shown):
        return ()
    if any(_may_be(one, other) for one in stated for other in shown):
        return ()
    return (f"colours: the text says {' and '.join(stated)}, the photo shows {' and '.join(shown)}",)


def _may_be(one: str, other: str) -> bool:
    return one == other or any({one, other} <= group for group in _NEIGHBOURS)
