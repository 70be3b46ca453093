"""Checks of lesson 03: colours of pixels, photo against text, tokens of a picture, pixels without metadata."""

from __future__ import annotations

import math
from collections import Counter
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image, ImageOps

from aicourse.notebook.checks import Check, Mistake, arguments
from aicourse.notebook.exercises import Exercise

PAINTS = {
    "black": (20, 20, 20),
    "white": (245, 245, 245),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "beige": (220, 200, 170),
    "brown": (110, 70, 40),
    "red": (190, 30, 40),
    "pink": (235, 150, 180),
    "orange": (230, 120, 40),
    "yellow": (240, 210, 60),
    "green": (50, 120, 60),
    "turquoise": (60, 180, 180),
    "blue": (40, 80, 170),
    "purple": (110, 60, 140),
}
ALIKE = [
    {"white", "beige", "grey", "silver", "transparent"},
    {"grey", "silver", "black"},
    {"beige", "brown", "gold", "orange", "yellow"},
    {"red", "orange", "pink", "brown"},
    {"purple", "pink", "blue"},
    {"blue", "turquoise", "green", "black"},
]


def shares_of(pixels, distance=lambda off: (off**2).sum(axis=2), kind=float):
    """The share of each colour, largest first."""
    points = np.array(list(PAINTS.values())).astype(kind)
    nearest = distance(np.asarray(pixels).reshape(-1, 1, 3) - points).argmin(axis=1)
    counts = Counter(nearest.tolist()).most_common()
    return {list(PAINTS)[at]: count / len(nearest) for at, count in counts}


def colours_of(pixels, least=0.2):
    shares = shares_of(pixels)
    return [name for name, share in shares.items() if share >= least] or [
        next(iter(shares))
    ]


def all_names(pixels, least=0.2):
    return list(shares_of(pixels))


def no_fallback(pixels, least=0.2):
    return [name for name, share in shares_of(pixels).items() if share >= least]


def above_only(pixels, least=0.2):
    shares = shares_of(pixels)
    return [name for name, share in shares.items() if share > least] or [next(iter(shares))]


def smallest_first(pixels, least=0.2):
    return colours_of(pixels, least)[::-1]


def least_ignored(pixels, least=0.2):
    return colours_of(pixels, 0.2)


def largest_only(pixels, least=0.2):
    return colours_of(pixels, 2)


def wraps_around(pixels, least=0.2):
    shares = shares_of(np.asarray(pixels).astype("uint8"), kind="uint8")
    return [name for name, share in shares.items() if share >= least] or [
        next(iter(shares))
    ]


def of_the_mean(pixels, least=0.2):
    mean = np.asarray(pixels, dtype=float).reshape(-1, 3).mean(axis=0)
    return list(shares_of(mean.reshape(1, 1, 3)))


def with_their_shares(pixels, least=0.2):
    shares = shares_of(pixels)
    return {name: shares[name] for name in colours_of(pixels, least)}


def names_as_they_came(pixels, least=0.2):
    return list(shares_of(pixels).index)


def patchwork(**counts):
    """An array of pixels, one row: so many of each colour, each a little off its point."""
    row = [
        [min(255, value + 5) for value in PAINTS[name]]
        for name, count in counts.items()
        for _ in range(count)
    ]
    return np.array([row], dtype="uint8")


colours = Exercise(
    id="03.1",
    title="The colours of some pixels",
    reference=colours_of,
    untouched=names_as_they_came,
    checks=[
        Check(
            "names pixels of one colour",
            [
                arguments(patchwork(blue=4)),
                arguments(patchwork(white=3)),
                arguments(np.full((2, 3, 3), 10, dtype="uint8")),
            ],
        ),
        Check(
            "names each colour with a large share, largest first",
            [
                arguments(patchwork(green=3, red=7)),
                arguments(patchwork(beige=2, black=5, turquoise=3)),
            ],
        ),
        Check(
            "leaves small shares out",
            [
                arguments(patchwork(blue=9, white=1)),
                arguments(patchwork(red=8, grey=1, yellow=1)),
            ],
        ),
        Check(
            "takes a share of exactly `least`",
            [
                arguments(patchwork(blue=4, white=1)),
                arguments(patchwork(brown=3, pink=1), least=0.25),
            ],
        ),
        Check(
            "uses another `least`",
            [
                arguments(patchwork(green=6, red=4), least=0.5),
                arguments(patchwork(blue=9, white=1), least=0.05),
            ],
        ),
        Check(
            "names the largest alone where none has enough",
            [
                arguments(patchwork(red=3, blue=2, green=2, grey=2), least=0.4),
                arguments(patchwork(purple=2, orange=1), least=0.9),
            ],
        ),
        Check(
            "finds the nearest point on both sides",
            [
                arguments(
                    np.array(
                        [[[100, 60, 150], [99, 61, 150], [30, 90, 160]]], dtype="uint8"
                    )
                ),
                arguments(np.array([[[15, 15, 25], [10, 22, 12]]], dtype="uint8")),
                arguments(np.array([[[250, 240, 240]]], dtype="uint8")),
                # brown by the sum of the differences, green by that of their squares
                arguments(np.array([[[110, 200, 10]]], dtype="uint8")),
            ],
        ),
    ],
    mistakes=[
        Mistake(
            all_names,
            "That names every colour that a single pixel has: keep those with a share of at least `least`.",
        ),
        Mistake(
            no_fallback,
            "A patchwork without a large colour gets no name at all: then give the largest alone.",
        ),
        Mistake(above_only, "A share of exactly `least` counts too: `>=`."),
        Mistake(smallest_first, "The order: the largest share comes first."),
        Mistake(least_ignored, "`least` is a parameter, and you count with 0.2 always."),
        Mistake(largest_only, "Only the largest comes back. A scarf may have two colours."),
        Mistake(
            wraps_around,
            "Pixels are small whole numbers (uint8): 20 - 30 is 246 there. Convert to float before you subtract.",
        ),
        Mistake(
            of_the_mean,
            "The mean of red and green is a brown that is nowhere. Name each pixel, then count the names.",
        ),
        Mistake(
            with_their_shares, "Return the list of names; the shares only sort and select."
        ),
    ],
    hints=[
        "`shares_of(pixels)` has names and shares, largest first.",
        "`shares[shares >= least].index` are the names with enough.",
        "An empty list is false: `list(…) or [shares.index[0]]`.",
    ],
)


def disagree(stated, shown):
    if not stated or not shown or "multicolour" in [*stated, *shown]:
        return False
    return not any(alike(one, other) for one in stated for other in shown)


def alike(one, other):
    return one == other or any({one, other} <= group for group in ALIKE)


def not_the_same(stated, shown):
    return stated != shown


def no_common_colour(stated, shown):
    if not stated or not shown or "multicolour" in [*stated, *shown]:
        return False
    return not set(stated) & set(shown)


def empty_disagrees(stated, shown):
    if "multicolour" in [*stated, *shown]:
        return False
    return not any(alike(one, other) for one in stated for other in shown)


def multicolour_forgotten(stated, shown):
    if not stated or not shown:
        return False
    return not any(alike(one, other) for one in stated for other in shown)


def all_must_fit(stated, shown):
    if not stated or not shown or "multicolour" in [*stated, *shown]:
        return False
    return not all(any(alike(one, other) for other in shown) for one in stated)


def first_only(stated, shown):
    if not stated or not shown or "multicolour" in [*stated, *shown]:
        return False
    return not alike(stated[0], shown[0])


def turned_round(stated, shown):
    if not stated or not shown or "multicolour" in [*stated, *shown]:
        return False
    return any(alike(one, other) for one in stated for other in shown)


def only_groups(stated, shown):
    """Forgets that a colour in no group is like itself."""
    if not stated or not shown or "multicolour" in [*stated, *shown]:
        return False
    return not any(
        {one, other} <= g for one in stated for other in shown for g in ALIKE[:4]
    )


disagreeing = Exercise(
    id="03.2",
    title="Do they disagree?",
    reference=disagree,
    untouched=not_the_same,
    checks=[
        Check(
            "sees a contradiction",
            [
                arguments(["orange"], ["blue"]),
                arguments(["white", "beige"], ["red"]),
                arguments(["green"], ["pink", "orange"]),
            ],
        ),
        Check(
            "agrees where a colour is the same",
            [
                arguments(["blue"], ["blue"]),
                arguments(["red", "white"], ["white", "blue"]),
                arguments(["turquoise"], ["red", "turquoise"]),
            ],
        ),
        Check(
            "agrees where colours are alike",
            [
                arguments(["grey"], ["silver"]),
                arguments(["brown"], ["orange"]),
                arguments(["green"], ["black"]),
            ],
        ),
        Check(
            "is content with one agreement among several",
            [
                arguments(["blue", "white"], ["white"]),
                arguments(["yellow", "purple"], ["green", "gold"]),
            ],
        ),
        Check(
            "says nothing where a side is empty",
            [arguments([], ["blue"]), arguments(["red"], []), arguments([], [])],
        ),
        Check(
            "says nothing about many colours",
            [
                arguments(["multicolour"], ["blue"]),
                arguments(["red"], ["multicolour"]),
                arguments(["red", "multicolour"], ["blue"]),
            ],
        ),
    ],
    mistakes=[
        Mistake(
            not_the_same,
            "That is how the cell began: any difference counts. Ask whether any stated colour fits any shown one.",
        ),
        Mistake(
            no_common_colour, "Grey and silver stand in one set of `ALIKE`: they agree."
        ),
        Mistake(
            empty_disagrees,
            "Where a side is empty there is nothing to contradict: return False first.",
        ),
        Mistake(
            multicolour_forgotten, "'multicolour' fits everything: return False for it."
        ),
        Mistake(
            all_must_fit,
            "You want every stated colour in the photo. One that fits is enough: a lining may not show.",
        ),
        Mistake(first_only, "You compare the first colours only. Compare each with each."),
        Mistake(
            turned_round, "You return True where they agree. It is asked the other way."
        ),
        Mistake(
            only_groups,
            "A colour is like itself, and all sets of `ALIKE` count: some pairs are missing.",
        ),
    ],
    hints=[
        "First the cases in which nothing can be said: empty, or multicolour.",
        "Two colours agree if they are equal, or `{one, other} <= group` for a group of `ALIKE`.",
        "`return not any(… for one in stated for other in shown)`",
    ],
)


def patch_tokens(width, height, side, per_patch=1):
    patches = math.ceil(width / side) * math.ceil(height / side)
    return math.ceil(patches * per_patch)


def by_area(width, height, side, per_patch=1):
    return width * height / side**2


def area_rounded_up(width, height, side, per_patch=1):
    return math.ceil(width * height / side**2 * per_patch)


def whole_patches_only(width, height, side, per_patch=1):
    return math.ceil((width // side) * (height // side) * per_patch)


def price_forgotten(width, height, side, per_patch=1):
    return patch_tokens(width, height, side)


def not_rounded(width, height, side, per_patch=1):
    return math.ceil(width / side) * math.ceil(height / side) * per_patch


def rounded_down(width, height, side, per_patch=1):
    return int(math.ceil(width / side) * math.ceil(height / side) * per_patch)


def plus_one(width, height, side, per_patch=1):
    return math.ceil((width // side + 1) * (height // side + 1) * per_patch)


tokens = Exercise(
    id="03.3",
    title="The tokens of a picture",
    reference=patch_tokens,
    untouched=by_area,
    checks=[
        Check(
            "counts patches that fit exactly",
            [arguments(64, 96, 32), arguments(280, 28, 28), arguments(32, 32, 32)],
        ),
        Check(
            "counts a patch that is not full as a whole one",
            [arguments(480, 640, 28), arguments(33, 32, 32), arguments(1, 1, 32)],
        ),
        Check(
            "multiplies by the tokens per patch",
            [arguments(480, 640, 32, 1.2), arguments(320, 320, 32, per_patch=2)],
        ),
        Check(
            "rounds up in the end",
            [arguments(768, 1024, 32, 1.2), arguments(32, 64, 32, 1.2)],
        ),
    ],
    mistakes=[
        Mistake(
            by_area,
            "That is how the cell began: an area is no number of patches. Round up columns and rows, each.",
        ),
        Mistake(
            area_rounded_up,
            "33 x 32 pixels need two patches of 32: round up columns and rows before you multiply.",
        ),
        Mistake(
            whole_patches_only,
            "`//` drops the patch at the edge that is not full. It is charged: `math.ceil`.",
        ),
        Mistake(price_forgotten, "`per_patch` is not used."),
        Mistake(not_rounded, "A token is whole: round up once more in the end."),
        Mistake(rounded_down, "The last rounding goes up as well: `math.ceil`, not `int`."),
        Mistake(
            plus_one,
            "A picture that fits exactly needs no further patch: 64 pixels are two of 32.",
        ),
    ],
    hints=[
        "Columns: `math.ceil(width / side)`. Rows likewise.",
        "Columns times rows times `per_patch`, and `math.ceil` around it all.",
    ],
)


def phone_photo(size=(48, 32), orientation=1, comment=b"serial 4711"):
    """A JPEG as a phone writes it, and the upright picture that it shows."""
    width, height = size
    row = np.linspace(30, 220, width)
    column = np.linspace(20, 200, height)[:, None]
    upright = np.stack([row + 0 * column, 0 * row + column, 0 * row + 230 - column], axis=2)
    picture = Image.fromarray(upright.astype("uint8"))
    stored = {1: picture, 6: picture.rotate(90, expand=True), 3: picture.rotate(180)}
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Phone 12"
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.IFD.GPSInfo] = {
        1: "N",
        2: (48.0, 8.0, 14.0),
        3: "E",
        4: (11.0, 34.0, 31.0),
    }
    buffer = BytesIO()
    stored[orientation].save(buffer, "JPEG", quality=95, exif=exif, comment=comment)
    return buffer.getvalue(), picture


PHOTOS = [((48, 32), 1), ((48, 32), 6), ((40, 64), 3), ((32, 56), 6)]


def opened(content):
    """The picture in bytes, or a sentence that says what they are."""
    if not isinstance(content, bytes):
        return f"You returned {type(content).__name__}; bytes of a file are asked for."
    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
            return image
    except Exception:
        return "What you returned is no picture file."


def on_photos(judge, orientations):
    """A predicate that asks `judge` about the file that comes back for some photos."""

    def predicate(answer):
        for size, orientation in PHOTOS:
            if orientation not in orientations:
                continue
            content, upright = phone_photo(size, orientation)
            found = answer(content)
            image = opened(found)
            said = image if isinstance(image, str) else judge(image, found, upright)
            if said is not True:
                return said
        return True

    return predicate


def is_a_file(image, content, upright):
    return image.format in ("JPEG", "PNG") or f"It is a {image.format} file."


def has_no_exif(image, content, upright):
    left = dict(image.getexif())
    return not left or f"EXIF is left, with {len(left)} entries."


def has_nothing_else(image, content, upright):
    for secret in (b"serial 4711", b"Phone 12"):
        if secret in content:
            return f"The file still says {secret.decode()!r}."
    return True


def stands_upright(image, content, upright):
    if image.size != upright.size:
        size = f"{upright.width} x {upright.height}"
        return f"Upright, the picture has {size} pixels; yours has not."
    others = [upright.rotate(180), ImageOps.mirror(upright), ImageOps.flip(upright)]
    off, *offs = (
        np.abs(np.asarray(image.convert("L"), float) - np.asarray(one.convert("L"))).mean()
        for one in (upright, *others)
    )
    return bool(off <= min(offs)) or "The picture stands on its head, or is mirrored."


def keeps_its_pixels(image, content, upright):
    if image.size != upright.size:
        return "It has not the full size any more."
    if len(image.getbands()) < 3:
        return "The colours are gone."
    # where the file still says how to turn it, a viewer would
    seen = np.asarray(ImageOps.exif_transpose(image).convert("RGB"), dtype=float)
    if seen.shape != np.asarray(upright).shape:
        return "The picture is turned."
    off = np.abs(seen - np.asarray(upright, dtype=float)).mean()
    return bool(off < 8) or f"The pixels differ by {off:.0f} of 255 on average."


def written_as_jpeg(image, **options):
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def pixels_only(content):
    upright = ImageOps.exif_transpose(Image.open(BytesIO(content))).convert("RGB")
    return written_as_jpeg(Image.fromarray(np.asarray(upright)))


def unchanged(content):
    return content


def not_turned(content):
    return written_as_jpeg(Image.fromarray(np.asarray(Image.open(BytesIO(content)))))


def comment_stays(content):
    return written_as_jpeg(ImageOps.exif_transpose(Image.open(BytesIO(content))))


def exif_kept(content):
    image = Image.open(BytesIO(content))
    upright = ImageOps.exif_transpose(image)
    return written_as_jpeg(Image.fromarray(np.asarray(upright)), exif=upright.getexif())


def place_removed_only(content):
    image = Image.open(BytesIO(content))
    exif = image.getexif()
    del exif[ExifTags.IFD.GPSInfo]
    return written_as_jpeg(Image.fromarray(np.asarray(image)), exif=exif)


def made_smaller(content):
    upright = ImageOps.exif_transpose(Image.open(BytesIO(content)))
    upright.thumbnail((24, 24))
    return written_as_jpeg(Image.fromarray(np.asarray(upright)))


def made_grey(content):
    upright = ImageOps.exif_transpose(Image.open(BytesIO(content))).convert("L")
    return written_as_jpeg(Image.fromarray(np.asarray(upright)))


def a_picture_not_a_file(content):
    return ImageOps.exif_transpose(Image.open(BytesIO(content)))


def raw_pixels(content):
    return ImageOps.exif_transpose(Image.open(BytesIO(content))).tobytes()


privacy = Exercise(
    id="03.4",
    title="Pixels only",
    reference=pixels_only,
    untouched=unchanged,
    show_expected=False,
    checks=[
        Check(
            "returns the bytes of a picture file", predicate=on_photos(is_a_file, {1, 6})
        ),
        Check("leaves no EXIF", predicate=on_photos(has_no_exif, {1, 3, 6})),
        Check("leaves no comment either", predicate=on_photos(has_nothing_else, {1, 3, 6})),
        Check("has the picture upright", predicate=on_photos(stands_upright, {6})),
        Check("keeps the pixels", predicate=on_photos(keeps_its_pixels, {1})),
        Check(
            "keeps the pixels of a photo that was held upside down",
            predicate=on_photos(keeps_its_pixels, {3}),
        ),
    ],
    mistakes=[
        Mistake(
            unchanged,
            "That is how the cell began: the file as it came, with the place in it.",
        ),
        Mistake(
            not_turned,
            "EXIF said how the phone was held, and is gone: `ImageOps.exif_transpose(image)` first.",
        ),
        Mistake(
            comment_stays,
            "Pillow keeps a JPEG's comment when it saves the same image. `Image.fromarray(np.asarray(image))` has pixels only.",
        ),
        Mistake(
            exif_kept, "You hand `exif=` to `save`: phone and place go along. Leave it out."
        ),
        Mistake(
            place_removed_only,
            "The place is gone, the phone and the rest of EXIF is not. Write pixels only.",
        ),
        Mistake(made_smaller, "The picture has become smaller: full size is asked for."),
        Mistake(made_grey, "`convert('L')` is grey. Use 'RGB'."),
        Mistake(
            a_picture_not_a_file,
            "You return an image object. Save it into a `BytesIO` and return `buffer.getvalue()`.",
        ),
        Mistake(
            raw_pixels,
            "`tobytes()` gives bare pixels, which no program opens. Save as JPEG or PNG.",
        ),
    ],
    hints=[
        "Open: `Image.open(BytesIO(content))`. Turn: `ImageOps.exif_transpose(image)`.",
        "A new image from an array has no memory: `Image.fromarray(np.asarray(upright))`.",
        'Write: `buffer = BytesIO()`, `image.save(buffer, "JPEG", quality=90)`, `buffer.getvalue()`.',
    ],
)

exercises = [colours, disagreeing, tokens, privacy]
