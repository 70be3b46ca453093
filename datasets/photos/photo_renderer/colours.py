"""Shades that things are painted with, and the colour of the listings' vocabulary that each shows.

The mapping follows `datasets/listings/ANNOTATION.md`. Woods, metals and other bare materials show the colour
that a person would name in the picture, although their names are no colours in a text.
"""

from __future__ import annotations

SHADES: dict[str, tuple[str, tuple[int, int, int]]] = {
    "black": ("black", (34, 34, 37)),
    "white": ("white", (238, 238, 234)),
    "grey": ("grey", (133, 135, 139)),
    "charcoal": ("grey", (84, 87, 92)),
    "ash": ("grey", (140, 135, 127)),  # warm enough to stay grey in cold light
    "beige": ("beige", (216, 195, 160)),
    "camel": ("beige", (202, 166, 118)),
    "cream": ("beige", (236, 221, 188)),
    "brown": ("brown", (108, 68, 42)),
    "chocolate": ("brown", (78, 49, 36)),
    "cognac": ("brown", (152, 86, 42)),
    "red": ("red", (192, 32, 42)),
    "burgundy": ("red", (118, 24, 42)),
    "pink": ("pink", (236, 140, 172)),
    "rose": ("pink", (212, 142, 152)),
    "fuchsia": ("pink", (218, 42, 136)),
    "orange": ("orange", (234, 112, 30)),
    "rust": ("orange", (190, 86, 36)),
    "yellow": ("yellow", (244, 204, 44)),
    "mustard": ("yellow", (212, 162, 40)),
    "green": ("green", (44, 126, 66)),
    "darkgreen": ("green", (34, 82, 54)),
    "olive": ("green", (104, 112, 56)),
    "sage": ("green", (146, 174, 132)),
    "mint": ("green", (158, 218, 182)),
    "blue": ("blue", (42, 88, 172)),
    "navy": ("blue", (32, 46, 98)),
    "lightblue": ("blue", (150, 188, 228)),
    "indigo": ("blue", (66, 94, 142)),
    "turquoise": ("turquoise", (42, 180, 184)),
    "petrol": ("turquoise", (18, 98, 108)),
    "purple": ("purple", (110, 60, 142)),
    "aubergine": ("purple", (84, 40, 82)),
    "gold": ("gold", (206, 166, 66)),
    "silver": ("silver", (192, 195, 200)),
    "clear": ("transparent", (214, 228, 226)),
    "mixed": ("multicolour", (150, 120, 110)),
}
# What unpainted materials look like. A text that says "oak" or "brass" names no colour, so these count as a
# thing's colour only when nothing on it is dyed or painted.
BARE: dict[str, tuple[str, tuple[int, int, int]]] = {
    "terracotta": ("orange", (198, 104, 66)),
    "walnut": ("brown", (112, 74, 48)),
    "teak": ("brown", (156, 98, 54)),
    "oak": ("brown", (178, 128, 80)),
    "pine": ("brown", (196, 144, 88)),
    "bamboo": ("beige", (214, 182, 124)),
    "cork": ("brown", (184, 136, 90)),
    "brass": ("gold", (208, 168, 76)),
    "copper": ("orange", (206, 120, 74)),
    "steel": ("silver", (188, 192, 198)),
    "granite": ("grey", (122, 122, 124)),
}


def rgb(shade: str) -> tuple[int, int, int]:
    """Red, green, blue of a shade, 0..255."""
    return (SHADES | BARE)[shade][1]


def vocabulary_colour(shade: str) -> str:
    """The word of the listings' vocabulary: `burgundy -> red`."""
    return (SHADES | BARE)[shade][0]
