"""Generated classes with planted copies, for measuring how similar answers are ranked. Nobody wrote them.

Five questions have four honest approaches each; a student takes one of each at random and writes it in a
style of their own: names, the order of functions, small forms (`n += 1` or `n = n + 1`, a result in a
variable or returned at once), comments. A copy takes another student's work and changes it:

- copied: not at all;
- renamed: every name of its own, comments, layout;
- reordered: renamed, and functions and independent lines in another order;
- paraphrased: reordered, and every small form turned into another one.

A copier of half takes two of the questions. The styles of honest students come from the same transformations.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import random
from dataclasses import dataclass

KINDS = ("copied", "renamed", "reordered", "paraphrased")

APPROACHES: dict[str, tuple[str, ...]] = {
    "q1": (
        """
def read_size(text):
    words = text.lower().replace(",", " ").split()
    for place, word in enumerate(words):
        if place + 1 < len(words) and words[place + 1] in ("cm", "centimetres"):
            try:
                return float(word)
            except ValueError:
                continue
    return None
""",
        """
def read_size(text):
    import re
    found = re.search(r"([0-9]+(?:[.][0-9]+)?)[ ]*(?:cm|centimetres)", text.lower())
    if found is None:
        return None
    return float(found.group(1))
""",
        """
def is_number(piece):
    return piece.replace(".", "", 1).isdigit()

def read_size(text):
    before, unit, after = text.lower().partition("cm")
    if not unit:
        return None
    pieces = [piece for piece in before.split() if is_number(piece)]
    return float(pieces[-1]) if pieces else None
""",
        """
def read_size(text):
    digits = ""
    for position in range(len(text)):
        letter = text[position]
        if letter.isdigit() or letter == ".":
            digits = digits + letter
        elif digits and text[position:].strip().lower().startswith("cm"):
            return float(digits)
        elif letter != " ":
            digits = ""
    return None
""",
    ),
    "q2": (
        """
def tally(rows):
    counts = {}
    for row in rows:
        key = row["category"]
        if key not in counts:
            counts[key] = 0
        counts[key] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
""",
        """
def tally(rows):
    from collections import Counter
    counter = Counter(row["category"] for row in rows)
    pairs = list(counter.items())
    pairs.sort(key=lambda pair: pair[0])
    pairs.sort(key=lambda pair: pair[1], reverse=True)
    return pairs
""",
        """
def tally(rows):
    names = sorted({row["category"] for row in rows})
    result = []
    for name in names:
        total = sum(1 for row in rows if row["category"] == name)
        result.append((name, total))
    return sorted(result, key=lambda entry: entry[1], reverse=True)
""",
        """
def tally(rows):
    from itertools import groupby
    ordered = sorted(row["category"] for row in rows)
    groups = [(name, len(list(members))) for name, members in groupby(ordered)]
    while True:
        swapped = False
        for left in range(len(groups) - 1):
            if groups[left][1] < groups[left + 1][1]:
                groups[left], groups[left + 1] = groups[left + 1], groups[left]
                swapped = True
        if not swapped:
            return groups
""",
    ),
    "q3": (
        """
def f1(expected, found):
    right = len(set(expected) & set(found))
    if right == 0:
        return 0.0
    precision = right / len(set(found))
    recall = right / len(set(expected))
    return 2 * precision * recall / (precision + recall)
""",
        """
def f1(expected, found):
    hits = 0
    misses = 0
    for item in set(expected):
        if item in found:
            hits += 1
        else:
            misses += 1
    extra = sum(1 for item in set(found) if item not in expected)
    total = 2 * hits + misses + extra
    return 2 * hits / total if total else 0.0
""",
        """
def share(part, whole):
    return len([item for item in whole if item in part]) / len(whole) if whole else 0.0

def f1(expected, found):
    expected, found = set(expected), set(found)
    scores = [share(expected, found), share(found, expected)]
    if min(scores) == 0:
        return 0.0
    return len(scores) / sum(1 / score for score in scores)
""",
        """
def f1(expected, found):
    wanted = list(dict.fromkeys(expected))
    given = list(dict.fromkeys(found))
    common = [value for value in wanted if value in given]
    try:
        return 2 * len(common) / (len(wanted) + len(given))
    except ZeroDivisionError:
        return 0.0
""",
    ),
    "q4": (
        """
def episodes(hours, limit):
    result = []
    start = None
    for hour, errors in enumerate(hours):
        if errors > limit and start is None:
            start = hour
        elif errors <= limit and start is not None:
            result.append((start, hour))
            start = None
    if start is not None:
        result.append((start, len(hours)))
    return result
""",
        """
def episodes(hours, limit):
    bad = [index for index, errors in enumerate(hours) if errors > limit]
    spans = []
    for index in bad:
        if spans and spans[-1][1] == index:
            spans[-1] = (spans[-1][0], index + 1)
        else:
            spans.append((index, index + 1))
    return spans
""",
        """
def episodes(hours, limit):
    from itertools import groupby
    flags = [errors > limit for errors in hours]
    place, found = 0, []
    for flag, members in groupby(flags):
        length = len(list(members))
        if flag:
            found.append((place, place + length))
        place += length
    return found
""",
        """
def episodes(hours, limit):
    position, output = 0, []
    while position < len(hours):
        if hours[position] <= limit:
            position += 1
            continue
        end = position
        while end < len(hours) and hours[end] > limit:
            end += 1
        output.append((position, end))
        position = end
    return output
""",
    ),
    "q5": (
        """
def bootstrap(values, rounds, rng):
    means = []
    for turn in range(rounds):
        sample = [rng.choice(values) for value in values]
        means.append(sum(sample) / len(sample))
    means.sort()
    return means[int(0.025 * rounds)], means[int(0.975 * rounds)]
""",
        """
def bootstrap(values, rounds, rng):
    import numpy as np
    data = np.array(values)
    picks = np.array([[rng.randrange(len(data)) for column in data] for row in range(rounds)])
    low, high = np.percentile(data[picks].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
""",
        """
def resample(values, rng):
    return rng.choices(values, k=len(values))

def mean(numbers):
    return sum(numbers) / len(numbers)

def bootstrap(values, rounds, rng):
    ordered = sorted(mean(resample(values, rng)) for turn in range(rounds))
    cut = round(rounds / 40)
    return ordered[cut], ordered[-cut - 1]
""",
        """
def bootstrap(values, rounds, rng):
    import statistics
    collected = []
    while len(collected) < rounds:
        total = 0
        for step in range(len(values)):
            total += values[rng.randint(0, len(values) - 1)]
        collected.append(total / len(values))
    borders = statistics.quantiles(collected, n=40)
    return borders[0], borders[-1]
""",
    ),
}
KEPT = {
    *vars(builtins),
    *keyword.kwlist,
    *("read_size", "tally", "f1", "episodes", "bootstrap"),
}
WORDS = [
    "alpha",
    "bit",
    "cur",
    "data",
    "elem",
    "flag",
    "got",
    "hit",
    "idx",
    "job",
    "knt",
    "lst",
    "mid",
    "nxt",
    "obj",
    "pos",
    "qty",
    "rec",
    "seq",
    "tmp",
    "unit",
    "val",
    "wrd",
    "xs",
    "yy",
    "zed",
]


@dataclass(frozen=True)
class GeneratedClass:
    """Answers by student and question, and the planted pairs with the kind of each."""

    answers: dict[str, dict[str, str]]
    planted: dict[frozenset[str], str]


def generated_class(students: int, copies: int, seed: int) -> GeneratedClass:
    """`students` in all; `copies` of each kind are planted, and as many copiers of half, who only rename."""
    rng = random.Random(seed)
    kinds = [*KINDS, "half"] * copies
    honest = [f"s{number:04}" for number in range(students - len(kinds))]
    answers = {name: _honest(random.Random(f"{seed} {name}")) for name in honest}
    planted = {}
    for number, (kind, source) in enumerate(zip(kinds, rng.sample(honest, len(kinds)), strict=True)):
        name, own = f"c{number:04}", random.Random(f"{seed} copy {number}")
        copied = {question: _copied(text, kind, own) for question, text in answers[source].items()}
        if kind == "half":
            copied |= {
                question: text for question, text in _honest(own).items() if question not in ("q2", "q4")
            }
        answers[name] = copied
        planted[frozenset((name, source))] = kind
    return GeneratedClass(answers, planted)


def _honest(rng: random.Random) -> dict[str, str]:
    """One student's own work: an approach to each question, in a style that they keep to."""
    forms = {form: rng.random() < 0.5 for form in _Forms.known}
    return {
        question: _styled(rng.choice(approaches), forms, rng, names=True)
        for question, approaches in APPROACHES.items()
    }


def _copied(text: str, kind: str, rng: random.Random) -> str:
    if kind == "copied":
        return text
    if kind in ("renamed", "half"):
        return _styled(text, {}, rng, names=True)
    tree = ast.parse(text)
    rng.shuffle(tree.body)
    _swap_lines(tree)
    forms = dict.fromkeys(_Forms.known, True) if kind == "paraphrased" else {}
    return _styled(ast.unparse(tree), forms, rng, names=True)


def _styled(text: str, forms: dict[str, bool], rng: random.Random, *, names: bool) -> str:
    tree = ast.fix_missing_locations(_Forms(forms).visit(ast.parse(text)))
    if names:
        tree = _Renamed(rng).visit(tree)
    lines = ast.unparse(tree).split("\n")
    for place in sorted(rng.sample(range(1, len(lines)), 2), reverse=True):
        indent = len(lines[place]) - len(lines[place].lstrip())
        lines.insert(place, " " * indent + f"# {' '.join(rng.sample(WORDS, 4))}")
    return "\n".join(lines) + "\n"


class _Forms(ast.NodeTransformer):
    """Small forms, each turned where its name is True: another way to write the same."""

    known = ("augmented", "returned", "compared", "chosen", "emptied", "negated")

    def __init__(self, forms: dict[str, bool]) -> None:
        self.forms = forms

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not self.forms.get("augmented"):
            return node
        read = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.Assign([node.target], ast.BinOp(read, node.op, node.value))

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not self.forms.get("returned") or not isinstance(node.value, (ast.BinOp, ast.Call, ast.IfExp)):
            return node
        return [
            ast.Assign([ast.Name("answer", ast.Store())], node.value),
            ast.Return(ast.Name("answer", ast.Load())),
        ]

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        turned = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.Eq}
        if not self.forms.get("compared") or len(node.ops) != 1 or type(node.ops[0]) not in turned:
            return node
        return ast.Compare(node.comparators[0], [turned[type(node.ops[0])]()], [node.left])

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if not self.forms.get("chosen"):
            return node
        return ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)

    def visit_List(self, node: ast.List) -> ast.AST:
        self.generic_visit(node)
        is_empty = not node.elts and isinstance(node.ctx, ast.Load)
        return (
            ast.Call(ast.Name("list", ast.Load()), [], []) if self.forms.get("emptied") and is_empty else node
        )

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self.forms.get("negated") and node.orelse and not isinstance(node.orelse[0], ast.If):
            return ast.If(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)
        return node


class _Renamed(ast.NodeTransformer):
    """Other names for all that the student named."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, str] = {}

    def _new(self, name: str) -> str:
        if name in KEPT:
            return name
        return self.names.setdefault(name, f"{self.rng.choice(WORDS)}_{len(self.names)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._new(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._new(node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        self.generic_visit(node)
        return node


def _swap_lines(tree: ast.Module) -> None:
    """Two assignments in a row change places where neither reads what the other sets."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for place in range(len(body) - 1 if isinstance(body, list) else 0):
            first, second = body[place], body[place + 1]
            if (
                isinstance(first, ast.Assign)
                and isinstance(second, ast.Assign)
                and _independent(first, second)
            ):
                body[place], body[place + 1] = second, first


def _independent(first: ast.Assign, second: ast.Assign) -> bool:
    """True if neither reads what the other sets."""
    sets = _names(first, ast.Store) & _names(second) or _names(second, ast.Store) & _names(first)
    return not sets


def _names(node: ast.AST, context: type[ast.expr_context] = ast.expr_context) -> set[str]:
    found = (one for one in ast.walk(node) if isinstance(one, ast.Name))
    return {one.id for one in found if isinstance(one.ctx, context)}
