"""The cost of a photo at a hosted model, in prompt tokens, before it is sent.

| scheme           | models          | tokens                                                           |
|------------------|-----------------|------------------------------------------------------------------|
| `openai`         | GPT-4o, GPT-4.1 | 85, and 170 per 512-pixel tile, shrunk to fit 2048, then 768     |
| `openai-patches` | GPT-6           | 1.2 per patch of 32 x 32 pixels                                  |
| `anthropic`      | Claude 4, 5     | 1 per patch of 28 x 28 pixels                                    |
| `gemini`         | Gemini 2        | 258 up to 384 x 384, else 258 per tile of 768 pixels             |

Sources: https://developers.openai.com/docs/guides/vision, https://platform.claude.com/docs/en/vision,
https://ai.google.dev/gemini-api/docs/tokens; the 1.2 of GPT-6 fits all ten measured sizes in
https://huggingface.co/datasets/JOHNISKING/image-token-cost. Checked 2026-11-24.
Not covered: GPT-4o mini (charges about 33 times as many tokens, at a lower price each) and other small models
with a multiplier of their own; Gemini 3 (about 1,100 for any size, by `media_resolution`); other providers;
shrinking at the provider, so larger pictures than `photo_part` sends are refused except under `openai`.
The bill is right: compare with the reply's `usage`.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from aicourse.errors import PhotoError

Scheme = Literal["openai", "openai-patches", "anthropic", "gemini"]
_LONGEST = {"openai-patches": 2_048, "anthropic": 1_568, "gemini": 3_072}  # above these the provider shrinks
_PATCH_LIMIT = {"openai-patches": 2_400, "anthropic": 1_568}


def photo_tokens(width: int, height: int, scheme: Scheme, *, detail: Literal["low", "high"] = "high") -> int:
    """Prompt tokens of a photo of `width` x `height` pixels; `detail` matters to `openai` only.

    Raises:
        PhotoError: an unknown scheme, no pixels, or a size that the provider would shrink first.

    >>> photo_tokens(480, 640, "openai"), photo_tokens(480, 640, "anthropic")
    (425, 414)
    """
    if scheme not in get_args(Scheme):
        known = ", ".join(get_args(Scheme))
        raise PhotoError(f"No token formula for {scheme!r}. Use one of {known}; else read the reply's usage.")
    if width < 1 or height < 1:
        raise PhotoError(f"A photo of {width} x {height} pixels is none. Give its width and height.")
    if scheme == "openai":
        return 85 if detail == "low" else 85 + 170 * _openai_tiles(width, height)
    if max(width, height) > _LONGEST[scheme]:
        raise _too_large(width, height, scheme)
    if scheme == "gemini":
        return 258 if max(width, height) <= 384 else 258 * _patches(width, height, 768)
    patches = _patches(width, height, 28 if scheme == "anthropic" else 32)
    if patches > _PATCH_LIMIT[scheme]:
        raise _too_large(width, height, scheme)
    return patches if scheme == "anthropic" else math.ceil(patches * 6 / 5)


def _patches(width: int, height: int, side: int) -> int:
    return math.ceil(width / side) * math.ceil(height / side)


def _openai_tiles(width: int, height: int) -> int:
    scale = min(1.0, 2_048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    return _patches(round(width * scale), round(height * scale), 512)


def _too_large(width: int, height: int, scheme: str) -> PhotoError:
    return PhotoError(
        f"{scheme} shrinks {width:,} x {height:,} pixels before it counts. "
        "Shrink the photo yourself: photo_part(…, longest_side=1024)."
    )
