"""Checks of lesson 15: pieces that overlap, BM25, the mean reciprocal rank, reciprocal rank fusion."""

from __future__ import annotations

import math

from aicourse.notebook.checks import Check, Mistake, arguments, equal
from aicourse.notebook.exercises import Exercise

# 15.1


def pieces_with(*, step="less overlap", end="stops", unit="words"):
    """Pieces of a text, with one thing done in another way."""

    def pieces(text, size, overlap):
        words = text.split() if unit == "words" else list(text)
        joint = " " if unit == "words" else ""
        stride = size - overlap if step == "less overlap" else size
        found = []
        for start in range(0, len(words), stride):
            piece = words[start : start + size]
            if end == "drops" and len(piece) < size:
                break
            found.append(joint.join(piece))
            if end == "stops" and start + size >= len(words):
                break
        return found

    return pieces


def lists_of_words(text, size, overlap):
    return [piece.split() for piece in pieces_with()(text, size, overlap)]


LETTERS = "a b c d e f g h i j"
PIECES = Exercise(
    id="15.1",
    title="Pieces that overlap",
    reference=pieces_with(),
    checks=[
        Check("cuts words, not letters", [arguments("one two three four", 2, 0), arguments("a fee of 9 %", 3, 0)]),
        Check("repeats the overlap", [arguments(LETTERS, 4, 2), arguments(LETTERS, 4, 1)]),
        Check("keeps a shorter last piece", [arguments(LETTERS, 4, 0), arguments("a b c d e", 3, 1)]),
        Check(
            "ends once the last word is in",
            [arguments("a b c d", 4, 2), arguments("a b c d e f", 4, 2), arguments("a b", 5, 1)],
            message="A piece that the one before holds whole adds nothing.",
        ),
        Check("gives [] for an empty text", [arguments("", 4, 0), arguments("   ", 3, 1)]),
    ],
    mistakes=[
        Mistake(pieces_with(step="size"), "Your pieces do not overlap. The next one begins `size - overlap` words later."),
        Mistake(pieces_with(end="drops"), "You drop a last piece that is shorter. It holds words that stand nowhere else."),
        Mistake(pieces_with(end="runs on"), "Your last piece is held whole by the one before. Stop once a piece has the last word."),
        Mistake(pieces_with(unit="letters"), "You cut letters. Sizes are in words: `text.split()`."),
        Mistake(lists_of_words, 'A piece is a text: join its words with `" ".join(…)`.'),
    ],
    hints=[
        "`words = text.split()`; a piece is `words[start : start + size]`.",
        "`range(0, len(words), size - overlap)` has the starts.",
        "After a piece with `start + size >= len(words)`, stop with `break`.",
    ],
)  # fmt: skip

# 15.2


def same_scores(answer, expected):
    """The same numbers in the same order, in a list, a tuple or an array."""
    try:
        return equal([float(score) for score in answer], expected)
    except (TypeError, ValueError):
        return False


def bm25_with(
    *, idf="lucene", length=True, saturates=True, documents_counted=True, once=False
):
    """BM25 scores, with one thing done in another way."""

    def bm25(query, texts, k1=1.5, b=0.75):
        mean = sum(map(len, texts)) / len(texts)
        scores = [0.0] * len(texts)
        for word in dict.fromkeys(query) if once else query:
            if documents_counted:
                holders = sum(word in text for text in texts)
            else:
                holders = sum(text.count(word) for text in texts)
            rare = (len(texts) - holders + 0.5) / (holders + 0.5)
            weight = {
                "lucene": math.log(1 + abs(rare)),
                "none": 1.0,
                "classic": math.log(abs(rare) or 1),
            }[idf]
            for place, text in enumerate(texts):
                count = text.count(word)
                norm = k1 * (1 - b + b * len(text) / mean) if length else k1
                scores[place] += weight * (count / (count + norm) if saturates else count)
        return scores

    return bm25


TEXTS = [
    ["fee", "book", "fee"],
    ["book", "parcel"],
    ["parcel", "fee", "weight", "size"],
    ["photo"],
]
MANY = [
    ["fee"] * 5,
    ["fee", "book", "a", "b", "c"],
    ["x", "y", "z", "u", "v"],
    ["x", "z", "u", "v", "w"],
]
BM25 = Exercise(
    id="15.2",
    title="BM25 by hand",
    reference=bm25_with(),
    checks=[
        Check("weights rare words more", [arguments(["photo"], TEXTS), arguments(["fee", "photo"], TEXTS), arguments(["book"], TEXTS)], same=same_scores),
        Check("lets repetitions count less and less", [arguments(["fee"], MANY), arguments(["fee"], TEXTS)], same=same_scores),
        Check("makes up for length", [arguments(["parcel"], TEXTS), arguments(["parcel"], TEXTS, b=0.0)], same=same_scores),
        Check("uses k1", [arguments(["fee"], TEXTS, k1=0.9), arguments(["fee", "book"], MANY, k1=3.0)], same=same_scores),
        Check("counts a word twice that stands twice in the query", [arguments(["fee", "fee"], TEXTS), arguments(["book", "fee", "book"], MANY)], same=same_scores),
        Check("gives 0 where no word is shared", [arguments(["zebra"], TEXTS), arguments([], TEXTS)], same=same_scores),
    ],
    mistakes=[
        Mistake(bm25_with(idf="none"), "Every word weighs the same in your scores. Multiply with idf, which is larger for rare words."),
        Mistake(bm25_with(idf="classic"), "Your idf lacks the 1 inside the logarithm: a word that most texts have would count against them."),
        Mistake(bm25_with(length=False), "Long texts gain in your scores. The length of a text, divided by the mean length, belongs below the line, weighted with b."),
        Mistake(bm25_with(saturates=False), "Five times the word counts five times as much in your scores. Divide the count by count + norm."),
        Mistake(bm25_with(documents_counted=False), "You count every occurrence for idf. Count *texts* that hold the word."),
        Mistake(bm25_with(once=True), "A word that stands twice in the query counts once in your scores. Go through the list, not through a set of it."),
    ],
    hints=[
        "For each word of the query: `n = sum(word in text for text in texts)`, then `idf = math.log(1 + (N - n + 0.5) / (n + 0.5))`.",
        "For each text: `count = text.count(word)` and `norm = k1 * (1 - b + b * len(text) / mean)`.",
        "Add `idf * count / (count + norm)` to the text's score.",
    ],
)  # fmt: skip

# 15.3


def mrr_with(*, repeats="removed", missing="zero", every=False, cut=True, of="mean"):
    """The mean reciprocal rank, with one thing done in another way."""

    def mrr(rankings, relevant, k=10):
        values = []
        for question, wanted in relevant.items():
            ranking = rankings.get(question, [])
            if not ranking and missing == "dropped":
                continue
            if repeats == "removed":
                ranking = list(dict.fromkeys(ranking))
            ranking = ranking[:k] if cut else ranking
            found = [1 / rank for rank, one in enumerate(ranking, 1) if one in wanted]
            values.append(sum(found) if every else max(found, default=0))
        return sum(values) / (len(values) or 1) if of == "mean" else sum(values)

    return mrr


def ranked(*pairs):
    """Arguments: (ranking, relevant) of each question; None is a question without a ranking."""
    rankings = {
        f"Q{place}": ranking
        for place, (ranking, _) in enumerate(pairs)
        if ranking is not None
    }
    return arguments(
        rankings, {f"Q{place}": set(wanted) for place, (_, wanted) in enumerate(pairs)}
    )


MRR = Exercise(
    id="15.3",
    title="Mean reciprocal rank",
    reference=mrr_with(),
    checks=[
        Check("is the mean of 1 / rank", [ranked((["a", "b"], ["b"]), (["c"], ["c"])), ranked((["a", "b", "c"], ["c"]), (["a"], ["b"]))]),
        Check("gives an article one rank", [ranked((["a", "a", "b"], ["b"]), (["c"], ["c"])), ranked((["a", "b", "a", "b", "c"], ["c"]))]),
        Check("counts the first relevant article alone", [ranked((["a", "b"], ["a", "b"])), ranked((["x", "a", "b"], ["a", "b"]), (["a", "a"], ["a"]))]),
        Check(
            "counts a question without results as 0",
            [ranked((["a"], ["a"]), ([], ["b"])), ranked((["a", "b"], ["b"]), (None, ["c"]))],
            message="Whoever asked it got nothing, and that is the worst result.",
        ),
        Check("looks at the first k articles", [arguments({"Q": ["a", "b", "c"]}, {"Q": {"c"}}, k=2), arguments({"Q": ["a", "a", "b"]}, {"Q": {"b"}}, k=2)]),
    ],
    mistakes=[
        Mistake(mrr_with(repeats="kept"), "An article that is found through several chunks takes several ranks. Remove repeats first."),
        Mistake(mrr_with(missing="dropped"), "You leave out questions without results. They count as 0: divide by all questions in `relevant`."),
        Mistake(mrr_with(every=True), "You add up 1 / rank of every relevant article. Only the first one counts."),
        Mistake(mrr_with(cut=False), "You look beyond the first k articles."),
        Mistake(mrr_with(of="sum"), "That is the sum. Divide by the number of questions."),
    ],
    hints=[
        "Go through `relevant`, and take `rankings.get(question, [])`.",
        "`list(dict.fromkeys(ranking))[:k]` removes repeats and keeps the order.",
        "`enumerate(…, start=1)` has the ranks; stop at the first that is relevant.",
    ],
)  # fmt: skip

# 15.4


def fuse_with(
    *,
    first=1,
    constant_used=True,
    needs_all=False,
    points="reciprocal",
    turned=False,
    ids=False,
):
    """Fused rankings, with one thing done in another way."""

    def fuse(rankings, weights, constant=60):
        scores = {}
        for weight, ranking in zip(weights, rankings, strict=True):
            for rank, one in enumerate(ranking, start=first):
                below = rank + (constant if constant_used else 1)
                gain = {
                    "reciprocal": weight / below,
                    "plain": 1 / below,
                    "ranks": -weight * rank,
                }[points]
                scores[one] = scores.get(one, 0) + gain
        if needs_all:
            scores = {
                one: score
                for one, score in scores.items()
                if all(one in each for each in rankings)
            }
        order = sorted(scores) if ids else scores
        return sorted(order, key=lambda one: scores[one] if turned else -scores[one])

    return fuse


FUSE = Exercise(
    id="15.4",
    title="Reciprocal rank fusion",
    reference=fuse_with(),
    checks=[
        Check("puts what several rank high on top", [arguments([["a", "b", "c"], ["b", "c", "d"]], [1, 1]), arguments([["x", "y"], ["y", "z"], ["y"]], [1, 1, 1])]),
        Check("keeps what one ranking alone has", [arguments([["a"], ["b", "c"]], [1, 0.9]), arguments([["a", "b"], []], [1, 1])]),
        Check("weights the rankings", [arguments([["a", "b"], ["b", "a"]], [0.2, 1]), arguments([["a", "b"], ["c", "d"]], [0.3, 1])]),
        Check("puts the one met first first, of equal ones", [arguments([["z", "y"], ["a", "b"]], [1, 1]), arguments([["b"], ["a"]], [0.5, 0.5])]),
        Check("uses the constant", [arguments([["a", "b", "c"], ["d", "c", "b"]], [1, 0.99], constant=0), arguments([["a", "b"], ["c", "b"]], [1, 0.5], constant=0), arguments([["a", "b"], ["c", "b"]], [1, 0.5])]),
    ],
    mistakes=[
        Mistake(fuse_with(constant_used=False), "The constant is not used. A score is weight / (constant + rank)."),
        Mistake(fuse_with(needs_all=True), "You keep only what every ranking has. What one alone found stays, with that one's points."),
        Mistake(fuse_with(points="plain"), "The weights change nothing. A score is *weight* / (constant + rank)."),
        Mistake(fuse_with(points="ranks"), "You add up ranks: what only one ranking has would win for not being in the other. Add weight / (constant + rank)."),
        Mistake(fuse_with(ids=True), "Equal ones are in the order of their ids in your list. Keep the order in which they were met: `sorted` does, if the score alone is its key."),
        Mistake(fuse_with(turned=True), "Your list is worst first: sort by the negative score."),
    ],
    hints=[
        "A dictionary from id to score, and two loops: rankings with their weights, ranks from 1.",
        "`scores[one] = scores.get(one, 0) + weight / (constant + rank)`.",
        "`sorted(scores, key=lambda one: -scores[one])` is best first.",
    ],
)  # fmt: skip

exercises = [PIECES, BM25, MRR, FUSE]
