"""Photos: described for a model that only reads, sent to a model that sees, priced before.

    from aicourse.llm import photos

    photos.describe_photo("coat.jpg").text        "[Photo, 480 x 640 pixels, …]", from `description`
    photos.photo_part("coat.jpg")                 a part of a message, small and without metadata
    photos.photo_tokens(480, 640, "openai")       425 prompt tokens, from `tokens`

`files` reads a picture safely, `background` finds the thing in it, `colours` names its colours.
"""

from typing import TYPE_CHECKING

from aicourse.face import lazily

if TYPE_CHECKING:
    from aicourse.llm.photos.description import describe_photo as describe_photo
    from aicourse.llm.photos.description import photo_part as photo_part
    from aicourse.llm.photos.tokens import photo_tokens as photo_tokens

__getattr__, __dir__ = lazily(
    __name__,
    {
        "describe_photo": "aicourse.llm.photos.description",
        "photo_part": "aicourse.llm.photos.description",
        "photo_tokens": "aicourse.llm.photos.tokens",
    },
)
