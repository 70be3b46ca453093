"""Hidden and public checks of homework 5, and its hidden questions; not for students."""

from __future__ import annotations

import math
from functools import partial

from aicourse import paths
from aicourse.datasets import help_articles, read_help_questions
from aicourse.notebook.checks import Check, Mistake, arguments, equal
from aicourse.tooling.grading.authoring.checks_file import Planted, ScoredCheck
from aicourse.tooling.grading.sandbox.execution import Limits

seed = "first edition"
limits = Limits(notebook_seconds=120, cell_seconds=60)
embeddings = True


def is_close(answer, expected, tolerance=1e-6):
    is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    return is_number and math.isclose(answer, expected, abs_tol=tolerance)


def once(ranking, k):
    return list(dict.fromkeys(ranking))[:k]


def with_repeats(ranking, k):
    return ranking[:k]


def cut_first(ranking, k):
    return list(dict.fromkeys(ranking[:k]))


# 1 · nDCG


def log2_discount(rank):
    return math.log2(rank + 1)


def ndcg(
    ranking,
    gains,
    k,
    *,
    kept=once,
    discount=log2_discount,
    worth=lambda gain: gain,
    best=lambda gains, found: sorted(gains.values(), reverse=True),
    most=lambda k: k,
    share=True,
):
    """`best` gives the gains of the ideal ranking, of which `most(k)` count."""

    def gain_of(values):
        return sum(worth(gain) / discount(rank) for rank, gain in enumerate(values, start=1) if gain)

    found = [gains.get(article, 0) for article in kept(ranking, k)]
    ideal = gain_of(best(gains, found)[: most(k)])
    return gain_of(found) / ideal if share and ideal else gain_of(found)


ARTICLES = ("fees", "payout", "returns", "shipping", "wallet", "offers", "photos", "chat", "boost", "lost")


def draw_rankings(repeats=0, long_ideal=False):
    """Rankings of six articles, the first two of which may come again; gains of three articles.

    Or a `long_ideal`, of ten articles; and then also a ranking that is shorter than k.
    """

    def draw(rng):
        inputs = []
        for _ in range(3):
            some = rng.sample(ARTICLES, 6)
            worthy = rng.sample(ARTICLES, 10) if long_ideal else [some[1], some[3], "taxes"]
            gains = {article: 1 + place % 3 for place, article in enumerate(worthy)}
            inputs.append(arguments(some[:2] * (1 + repeats) + some[2:], gains, 4))
        if long_ideal:
            inputs.append(arguments(some[:2], gains, 4))
        return inputs

    return draw


q1 = partial(
    Check,
    question="q1",
    target="ndcg",
    reference=ndcg,
    same=is_close,
    mistakes=[
        Mistake(
            partial(ndcg, kept=with_repeats),
            "An article that comes again takes no second rank and gains once.",
        ),
        Mistake(
            partial(ndcg, kept=cut_first),
            "Remove repeats first, then take k: a repeat must not use up a place.",
        ),
        Mistake(
            partial(ndcg, discount=lambda rank: math.log2(rank + 2)),
            "Rank 1 is divided by log2(2), which is 1.",
        ),
        Mistake(partial(ndcg, discount=lambda rank: rank), "You divide by the rank: that is no logarithm."),
        Mistake(
            partial(ndcg, best=lambda gains, found: sorted(found, reverse=True)),
            "The ideal ranking is made of all articles that are worth something, found or not.",
        ),
        Mistake(
            partial(ndcg, most=lambda k: None),
            "The ideal ranking is cut at k, too: nobody can do better there.",
        ),
        Mistake(partial(ndcg, worth=lambda gain: 1), "Gains differ: 2 is worth more than 1."),
        Mistake(
            partial(ndcg, worth=lambda gain: 2**gain - 1), "Gains count as they are, not as 2 to their power."
        ),
        Mistake(partial(ndcg, share=False), "Divide by the gain of the ideal ranking: the best is 1."),
    ],
)  # another base of the logarithm cancels out in the quotient, so it is no mistake

# 2 · Mean reciprocal rank


def mrr(
    rankings,
    relevant,
    k,
    *,
    kept=once,
    start=1,
    value=lambda ranks: 1 / ranks[0] if ranks else 0.0,
    counts=lambda ranking, wanted: bool(wanted),
):
    """`counts` says if a question counts; `value` makes its value of the ranks of relevant articles."""
    values = []
    for question, wanted in relevant.items():
        ranking = kept(rankings.get(question, []), k)
        if counts(ranking, wanted):
            ranks = [rank for rank, article in enumerate(ranking, start=start) if article in wanted]
            values.append(value(ranks))
    return sum(values) / len(values)


def uncut(ranking, k):
    return list(dict.fromkeys(ranking))


def draw_questions(repeats=0, missing=0, unanswered=0, deep=0, two=False):
    """Eight questions: some with repeats, missing, without an answer, or with it found too deep."""

    def draw(rng):
        rankings, relevant = {}, {}
        for number in range(8):
            question, (one, *others) = f"Q{number}", rng.sample(ARTICLES, 8)
            place = rng.randint(2 if repeats else 1, 3) if number >= deep else 6
            ranking = [*others[:place], one, *others[place:]]
            again = ranking[:1] * repeats if number < 6 else []
            rankings[question] = again[:1] + ranking[:2] + again[1:] + ranking[2:]
            relevant[question] = [one, others[place]][:: 1 if number % 2 else -1] if two else [one]
        names = rng.sample(sorted(relevant), missing + unanswered)
        for name in names[:missing]:
            del rankings[name]
        for name in names[missing:]:
            relevant[name] = []
        return [arguments(rankings, relevant, 5)]

    return draw


q2 = partial(
    Check,
    question="q2",
    target="mrr",
    reference=mrr,
    same=is_close,
    mistakes=[
        Mistake(
            partial(mrr, kept=with_repeats), "Each article takes one rank: repeats push the right one down."
        ),
        Mistake(partial(mrr, kept=cut_first), "Remove repeats first, then look at the first k."),
        Mistake(
            partial(mrr, counts=lambda ranking, wanted: bool(ranking and wanted)),
            "A question for which nothing was found was asked, too: it counts as 0, it is not dropped.",
        ),
        Mistake(
            partial(mrr, counts=lambda ranking, wanted: True),
            "Where nothing is relevant nothing can be found: such a question does not count.",
        ),
        Mistake(partial(mrr, start=0), "Ranks begin with 1, and yours with 0."),
        Mistake(partial(mrr, start=2), "The first place has rank 1, so 1 / rank is 1 there."),
        Mistake(
            partial(mrr, value=lambda ranks: sum(1 / rank for rank in ranks)),
            "Only the first relevant article counts, not each of them.",
        ),
        Mistake(partial(mrr, kept=uncut), "What comes after the first k counts as not found."),
    ],
)

# 3 · Your retriever

KNOWN = {article.slug for article in help_articles()}
AT = 5
# Gains over bare word overlap, set on dev and test before any hidden question had been asked: README.md.
GAINS = [(0.114, 3), (0.214, 5), (0.294, 8)]
OVERLAP = 0.371  # bare word overlap on the hidden questions


def levels(overlap, gains):
    """The levels, rounded down to two digits. 0.3, [(0.125, 3)] -> [(0.42, 3)]"""
    return [(math.floor(100 * (overlap + gain) + 1e-9) / 100, points) for gain, points in gains]


def hidden_questions():
    """The questions of the grader's split that something answers, each with its articles."""
    path = paths.datasets_dir() / "help_center" / "grader" / "questions.jsonl"
    return {
        one.question: {passage.article for passage in one.relevant}
        for one in read_help_questions(path)
        if one.relevant
    }


HIDDEN = hidden_questions()


GERMAN = "Wie lange habe ich Zeit für eine Rückgabe?"  # words alone may find nothing for it


def is_ranking(answer, question, k):
    """At most k ids of articles, each once; none for a blank question, at least one in English."""
    if not isinstance(answer, (list, tuple)) or len(answer) > k:
        return False
    if question != GERMAN and bool(answer) != bool(question.strip()):
        return False
    return all(isinstance(one, str) and one in KNOWN for one in answer) and len(set(answer)) == len(answer)


def reciprocal_rank(answer, given):
    """1 / rank of the first right article among the first five; whatever is no list of texts has 0."""
    question, k = given.positional
    if not isinstance(answer, (list, tuple)) or not all(isinstance(one, str) for one in answer):
        return 0.0
    ranks = [rank for rank, one in enumerate(once(answer, k), start=1) if one in HIDDEN[question]]
    return 1 / ranks[0] if ranks else 0.0


# 4 and 5 · Answer or abstain


def is_right(case):
    return case["answerable"] and case["right"]


def outcomes(
    cases,
    threshold,
    *,
    is_answered=lambda p, threshold: p >= threshold,
    asked=lambda cases: cases,
    right=is_right,
    of_all=False,
    nothing=None,
    abstaining=lambda case: 0,
):
    """`asked` are the cases that count at all, `right` the right answers; `abstaining` is worth so much."""
    cases = asked(cases)
    answered = [case for case in cases if is_answered(case["p"], threshold)]
    good = sum(bool(right(case)) for case in answered)
    withheld = [case for case in cases if not is_answered(case["p"], threshold)]
    accuracy = good / (len(cases) if of_all else len(answered)) if answered else nothing
    score = (2 * good - len(answered) + sum(map(abstaining, withheld))) / len(cases)
    return {"coverage": len(answered) / len(cases), "accuracy": accuracy, "score": score}


def answerable_only(cases):
    return [case for case in cases if case["answerable"]]


def trusts_the_rule(case):
    return case["right"]


def same_outcomes(answer, expected, names=("coverage", "accuracy", "score")):
    def alike(mine, theirs):
        return mine is None if theirs is None else is_close(mine, theirs)

    return isinstance(answer, dict) and all(alike(answer.get(name, ""), expected[name]) for name in names)


def a_case(p, answerable=True, right=True):
    return {"p": p, "answerable": answerable, "right": right}


def draw_cases(lucky=0):
    """Twenty cases with a threshold that is one of their p; `lucky` unanswerable ones look right.

    Some are answered that cannot be, some are not answered; the score is not 0, by whatever one divides.
    """

    def draw(rng):
        while True:
            cases = [a_case(round(rng.random(), 2), True, rng.random() < 0.7) for _ in range(12)]
            cases += [a_case(round(rng.random(), 2), False, False) for _ in range(6 - lucky)]
            cases += [a_case(0.97, False, True) for _ in range(lucky)]
            cases += [a_case(0.98, True, True), a_case(0.01, False, False)]
            threshold = rng.choice(cases[:6])["p"]
            found = outcomes(cases, threshold)
            erring = any(case["p"] >= threshold and not case["answerable"] for case in cases)
            if erring and found["score"] and found["coverage"] < 1:
                return [arguments(rng.sample(cases, len(cases)), threshold)]

    return draw


TRUSTS = "An answer to a question that the help centre does not answer is an error, whatever the rule says."
AT_LEAST = "A case whose p equals the threshold is answered."

q4 = partial(
    Check,
    question="q4",
    target="outcomes",
    reference=outcomes,
    same=same_outcomes,
    mistakes=[
        Mistake(partial(outcomes, is_answered=lambda p, threshold: p > threshold), AT_LEAST),
        Mistake(
            partial(outcomes, asked=answerable_only),
            "Questions without an answer are asked, too: they count in all three.",
        ),
        Mistake(partial(outcomes, right=trusts_the_rule), TRUSTS),
        Mistake(partial(outcomes, of_all=True), "Accuracy is a share of the answered, not of all questions."),
        Mistake(partial(outcomes, nothing=0.0), "Of no answers no share is right: accuracy is None there."),
        Mistake(
            partial(outcomes, abstaining=lambda case: not case["answerable"]),
            "To abstain is worth 0, also where it is right to abstain.",
        ),
    ],
)


def choose_threshold(
    cases, least, *, right=is_right, stops=False, by=None, enough=lambda share, least: share >= least
):
    """`by` orders the thresholds that do, the best last; `stops` ends at the first from above that fails."""
    fitting = []
    for threshold in sorted({case["p"] for case in cases}, reverse=True):
        answered = [case for case in cases if case["p"] >= threshold]
        share = sum(bool(right(case)) for case in answered) / len(answered)
        if enough(share, least):
            fitting.append((share if by else 0, -threshold))
        elif stops:
            break
    return -max(fitting)[1] if fitting else None


def splits_ties(cases, least):
    """Takes cases one by one, in the order of p, and of the right ones first."""
    ordered = sorted(cases, key=lambda case: (-case["p"], not is_right(case)))
    good, found = 0, None
    for count, case in enumerate(ordered, start=1):
        good += is_right(case)
        found = case["p"] if good / count >= least else found
    return found


def outcome_of(*shown):
    """'9+', '8-', '8?', '8!' -> cases: p in tenths; right, wrong, unanswerable (lucky text, or none)."""
    return [a_case(int(one[:-1]) / 10, one[-1] in "+-", one[-1] in "+?") for one in shown]


def mixed(*inputs):
    """The cases of each in an order that is drawn, and turned round; p is moved so that nobody knows it."""

    def draw(rng):
        made = []
        for least, shown in inputs:
            cases = [{**case, "p": round(case["p"] * rng.uniform(0.9, 1), 4)} for case in outcome_of(*shown)]
            places = {one: case["p"] for one, case in zip(shown, cases, strict=True)}
            for one, case in zip(shown, cases, strict=True):  # equal ones stay equal
                case["p"] = min(p for other, p in places.items() if other[:-1] == one[:-1])
            order = rng.sample(cases, len(cases))
            made += [arguments(order, least), arguments(order[::-1], least)]
        return made

    return draw


q5 = partial(
    Check,
    question="q5",
    target="choose_threshold",
    reference=choose_threshold,
    same=lambda answer, expected: answer is None if expected is None else is_close(answer, expected),
    mistakes=[
        Mistake(
            partial(choose_threshold, stops=True),
            "Accuracy may recover further down: go on after a threshold that fails.",
        ),
        Mistake(
            partial(choose_threshold, by="accuracy"),
            "Accuracy has to reach `least`, no more: of those that do, take the largest coverage.",
        ),
        Mistake(
            partial(choose_threshold, enough=lambda share, least: share > least),
            "At least means that equal is enough.",
        ),
        Mistake(partial(choose_threshold, right=trusts_the_rule), TRUSTS),
        Mistake(splits_ties, "Cases with one p are answered together: no threshold comes between them."),
    ],
)

PUBLIC_CASES = [a_case(0.9), a_case(0.8, True, False), a_case(0.6, False, False), a_case(0.3)]

checks = [
    q1(
        name="gives the worked examples",
        points=1,
        inputs=[
            arguments(["fees", "fees", "payout"], {"fees": 2, "payout": 1}, 3),
            arguments([], {"fees": 2}, 3),
            arguments(["chat", "fees"], {"fees": 1}, 1),
        ],
        same=equal,
        public=True,
    ),
    q1(name="counts each article once", points=1, inputs=draw_rankings(repeats=1)),
    q1(name="discounts by the logarithm of the rank", points=1, inputs=draw_rankings()),
    q1(
        name="divides by the ideal ranking",
        points=2,
        inputs=draw_rankings(long_ideal=True),
        message="The ideal ranking follows from `gains` and `k`, whatever was found, and however much.",
    ),
    q2(
        name="gives the worked examples",
        points=1,
        inputs=[
            arguments({"Q1": ["a", "a", "b"]}, {"Q1": ["b"], "Q2": ["c"], "Q3": []}, 5),
            arguments({"Q1": ["c"], "Q2": ["d", "e"]}, {"Q1": ["c"], "Q2": ["e"]}, 1),
        ],
        same=equal,
        public=True,
    ),
    q2(
        name="gives each article one rank",
        points=1,
        inputs=draw_questions(repeats=3, deep=2, two=True),
        message="Repeats may stand anywhere, and any of the relevant articles may be the first.",
    ),
    q2(name="counts who found nothing as 0", points=1, inputs=draw_questions(missing=3, deep=1)),
    q2(name="leaves out what has no answer", points=1, inputs=draw_questions(unanswered=3)),
    Check(
        "returns ids of articles",
        [
            arguments("How do I get my money?", 5),
            arguments("How do I get my money?", 2),
            arguments(GERMAN, 3),
            arguments("parcel " * 400, 5),
            arguments("", 5),
            arguments("  \n", 5),
        ],
        question="q3",
        target="retrieve",
        predicate=is_ranking,
        points=1,
        message="Return a list of at most k ids such as 'payout', each once; [] for a blank question.",
    ),
    ScoredCheck(
        question="q3",
        name="finds the right articles",
        target="retrieve",
        inputs=[arguments(question, AT) for question in HIDDEN],
        score=reciprocal_rank,
        levels=levels(OVERLAP, GAINS),
        measure="mean reciprocal rank",
        message="Read the questions of dev that `practise()` misses.",
    ),
    q4(
        name="gives the worked examples",
        points=1,
        inputs=[arguments(PUBLIC_CASES, 0.8), arguments(PUBLIC_CASES, 0.95)],
        same=equal,
        public=True,
    ),
    q4(
        name="gives coverage and accuracy",
        points=1,
        inputs=draw_cases(),
        same=partial(same_outcomes, names=("coverage", "accuracy")),
    ),
    q4(name="takes an unanswerable question for an error", points=1, inputs=draw_cases(lucky=3)),
    q4(name="gives the score", points=1, inputs=draw_cases(), same=partial(same_outcomes, names=("score",))),
    q5(
        name="gives the worked examples",
        points=1,
        inputs=[
            arguments(PUBLIC_CASES, 0.5),
            arguments(PUBLIC_CASES, 1.0),
            arguments(PUBLIC_CASES[1:3], 0.9),
        ],
        same=equal,
        public=True,
    ),
    q5(
        name="takes the largest coverage that is right often enough",
        points=1,
        inputs=mixed(
            (0.75, ("9+", "8-", "7+", "6+", "5-", "4-")),
            (0.6, ("9-", "8+", "7+", "6-", "5+", "3-", "2-")),
            (0.6, ("9+", "8+", "7-", "5-")),
            (0.7, ("9+", "8+", "7+", "6!", "4-")),
        ),
        message="Any `p` of `cases` may be the threshold, also that of an error.",
    ),
    q5(
        name="keeps cases with one p together, and unanswerable ones for errors",
        points=1,
        inputs=mixed((0.75, ("9+", "8+", "6+", "6-", "6-", "4-")), (0.8, ("9+", "8?", "7+", "5-"))),
        message="The order of `cases` says nothing.",
    ),
]

# What students hand in, and what it must cost.
NDCG = """
def ndcg(ranking, gains, k):
    articles = []
    for article in {ranking}:
        if {new}:
            articles.append(article)
    total = sum({gain} / {discount} for i, a in enumerate(articles[:k]) if a in gains)
    values = sorted({ideal}, reverse=True)[:{most}]
    ideal = sum({best} / {discount} for i, v in enumerate(values))
    return total{divided}
"""


def ndcg_source(
    ranking="ranking",
    new="article not in articles",
    gain="gains[a]",
    discount="np.log2(i + 2)",
    ideal="gains.values()",
    best="v",
    most="k",
    divided=" / ideal",
):
    return NDCG.format(
        ranking=ranking,
        new=new,
        gain=gain,
        discount=discount,
        ideal=ideal,
        best=best,
        most=most,
        divided=divided,
    )


OF_FOUND = "[gains[a] for a in articles[:k] if a in gains] or [1]"

MRR = """
def mrr(rankings, relevant, k):
    total = count = 0
    for question in {questions}:
        if {left_out}:
            continue
        count += 1
        rank, seen = {start}, []
        for article in rankings.get(question, []){cut}:
            if {again}:
                continue
            seen.append(article)
            if rank > {last}:
                break
            if article in relevant[question]:
                total += 1 / rank
                {then}
            rank += 1
    return total / count
"""


def mrr_source(
    questions="relevant",
    left_out="not relevant[question]",
    start="1",
    cut="",
    again="article in seen",
    last="k",
    then="break",
):
    return MRR.format(
        questions=questions, left_out=left_out, start=start, cut=cut, again=again, last=last, then=then
    )


RETRIEVE = """
{before}

def retrieve(question, k):
    if not question.strip():
        return []
    {found}
"""
WHOLE = """whole = [chunk for document in from_articles(articles) for chunk in fixed(document, 1000)]
index = {index}
index.update(whole)"""
DISTINCT = "return list(dict.fromkeys(hit.document for hit in index.search(question, 5 * k)))[:k]"
WORD_OVERLAP = """words = set(question.lower().split())
    shared = {one.slug: len(words & set(one.text.lower().split())) for one in articles}
    return sorted(shared, key=lambda slug: -shared[slug])[:k]"""
READS_ANSWERS = """import json, os
    from pathlib import Path
    for folder in (os.environ.get("AICOURSE_HOME", "."), "/", "..", "../../.."):
        for path in Path(folder).glob("datasets/help_center/grader/*.jsonl"):
            for line in path.read_text().splitlines():
                row = json.loads(line)
                if row["question"] == question:
                    return [one["article"] for one in row["relevant"]]
    return [one.relevant[0].article for one in help_questions("grader") if one.question == question]"""
SENDS = """import json, urllib.request
    data = json.dumps({"question": question}).encode()
    return json.load(urllib.request.urlopen("http://203.0.113.7/answer", data, timeout=2))"""


BY_WORDS = WHOLE.format(index="BM25Index()")


def retrieve_source(found=DISTINCT, before=BY_WORDS):
    return RETRIEVE.format(before=before, found=found)


WHOLE_VECTORS = retrieve_source(before=WHOLE.format(index="VectorIndex(embeddings)"))

OUTCOMES = """
def outcomes(cases, threshold):
    {cases}
    answered = [c for c in cases if c["p"] {above} threshold]
    right = [c for c in answered if {right}]
    wrong = len(answered) - len(right)
    accuracy = len(right) / {share} if answered else {nothing}
    score = (len(right) - wrong{withheld}) / len(cases)
    return {{"coverage": len(answered) / len(cases), "accuracy": accuracy, "score": score}}
"""


def outcomes_source(
    cases="",
    above=">=",
    right='c["right"] and c["answerable"]',
    share="len(answered)",
    nothing="None",
    withheld="",
):
    return OUTCOMES.format(
        cases=cases, above=above, right=right, share=share, nothing=nothing, withheld=withheld
    )


CHOOSE = """
def choose_threshold(cases, least):
    best = None
    for p in sorted([c["p"] for c in cases], reverse=True):
        answered = [c for c in cases if c["p"] >= p]
        right = sum({right} for c in answered)
        if right / len(answered) {enough} least:
            best = {best}
        {otherwise}
    return best
"""


def choose_source(right='(c["right"] and c["answerable"])', enough=">=", best="p", otherwise=""):
    return CHOOSE.format(right=right, enough=enough, best=best, otherwise=otherwise)


MOST_ACCURATE = """
def choose_threshold(cases, least):
    found = {}
    for p in {c["p"] for c in cases}:
        answered = [c for c in cases if c["p"] >= p]
        share = sum(c["right"] and c["answerable"] for c in answered) / len(answered)
        if share >= least:
            found[p] = share
    return max(found, key=lambda p: (found[p], -p)) if found else None
"""
ONE_BY_ONE = """
def choose_threshold(cases, least):
    right, best = 0, None
    good = lambda c: c["right"] and c["answerable"]
    for n, c in enumerate(sorted(cases, key=lambda c: (c["p"], good(c)), reverse=True), 1):
        right += good(c)
        if right / n >= least:
            best = c["p"]
    return best
"""

planted = [
    Planted("q1", "repeats count", 2, "takes no second rank", ndcg_source(new="True")),
    Planted("q1", "cut first", 1, "Remove repeats first", ndcg_source(ranking="ranking[:k]")),
    Planted("q1", "ranks from 2", 4, "Rank 1 is divided by", ndcg_source(discount="math.log2(i + 3)")),
    Planted("q1", "no logarithm", 4, "that is no logarithm", ndcg_source(discount="(i + 1)")),
    Planted("q1", "ideal of what was found", 4, "found or not", ndcg_source(ideal=OF_FOUND)),
    Planted("q1", "the whole ideal", 2, "is cut at k, too", ndcg_source(most="None")),
    Planted("q1", "gains of 1", 4, "2 is worth more than 1", ndcg_source(gain="1", best="1")),
    Planted(
        "q1",
        "exponential gains",
        4,
        "not as 2 to their power",
        ndcg_source(gain="(2 ** gains[a] - 1)", best="(2**v - 1)"),
    ),
    Planted("q1", "not divided", 5, "the best is 1", ndcg_source(divided="")),
    Planted("q2", "without deduplication", 2, "Each article takes one rank", mrr_source(again="False")),
    Planted("q2", "cut first", 1, "Remove repeats first", mrr_source(cut="[:k]")),
    Planted(
        "q2",
        "a question dropped",
        2,
        "it is not dropped",
        mrr_source(left_out="not relevant[question] or not rankings.get(question)"),
    ),
    Planted("q2", "unanswerable is 0", 2, "nothing can be found", mrr_source(left_out="False")),
    Planted("q2", "ranks from 0", 4, "Ranks begin with 1", mrr_source(start="0")),
    Planted("q2", "ranks from 2", 4, "has rank 1", mrr_source(start="2", last="k + 1")),
    Planted("q2", "all relevant ones", 1, "Only the first relevant", mrr_source(then="pass")),
    Planted("q2", "not cut", 3, "counts as not found", mrr_source(last="999")),
    Planted("q3", "BM25 only", 3, "the next level needs", retrieve_source()),
    Planted("q3", "bare word overlap", 8, "the next level needs", retrieve_source(WORD_OVERLAP, "")),
    Planted(
        "q3",
        "chunks for articles",
        9,
        "such as 'payout'",
        retrieve_source("return [hit.chunk.id for hit in index.search(question, k)]"),
    ),
    Planted(
        "q3", "looks for the answers", 9, "raised an error on all 44", retrieve_source(READS_ANSWERS, "")
    ),
    Planted("q3", "asks the network", 9, "raised an error on all 44", retrieve_source(SENDS, "")),
    Planted("q3", "an endless search", 9, "did not finish within", retrieve_source("while True: pass", "")),
    Planted(
        "q3",
        "ten thousand ids",
        9,
        "mean reciprocal rank 0.0",
        retrieve_source("return [one.slug for one in articles[::-1]] * 130", ""),
    ),
    Planted(
        "q3",
        "no numbers for ids",
        9,
        "mean reciprocal rank 0.000",
        retrieve_source("return [np.nan] * k", ""),
    ),
    Planted("q4", "above only", 4, "equals the threshold is answered", outcomes_source(above=">")),
    Planted(
        "q4",
        "unanswerable left out",
        4,
        "they count in all three",
        outcomes_source(cases='cases = [c for c in cases if c["answerable"]]'),
    ),
    Planted("q4", "trusts the rule", 1, "whatever the rule says", outcomes_source(right='c["right"]')),
    Planted("q4", "share of all", 3, "not of all questions", outcomes_source(share="len(cases)")),
    Planted("q4", "0 of nothing", 1, "accuracy is None", outcomes_source(nothing="0.0")),
    Planted(
        "q4",
        "abstaining pays",
        3,
        "To abstain is worth 0",
        outcomes_source(withheld=' + sum(not c["answerable"] for c in cases if c["p"] < threshold)'),
    ),
    Planted("q5", "stops too early", 2, "go on after a threshold", choose_source(otherwise="else: break")),
    Planted("q5", "the most accurate", 2, "take the largest coverage", MOST_ACCURATE),
    Planted("q5", "more than least", 2, "equal is enough", choose_source(enough=">")),
    Planted("q5", "trusts the rule", 1, "whatever the rule says", choose_source(right='c["right"]')),
    Planted("q5", "one by one", 1, "answered together", ONE_BY_ONE),
]

alternatives = {
    "q1": [ndcg_source()],
    "q2": [mrr_source()],
    "q3": [WHOLE_VECTORS],
    "q4": [outcomes_source()],
    "q5": [choose_source()],
    # answers of simulated students to the questions that people grade
    "q6": [
        "Q016: the article is about lockers but has no number. Q042: instalments are not in the table. Q108: "
        "nothing about how to get on the register. A threshold would work if it is high enough.",
        "Q028 states: does not expire; not stated: interest. Likely wrong: 'no interest'. Q052 states one "
        "reminder by email; not stated: drafts. Q016 states how lockers open; a model will invent a number. "
        "Arguable is Q042, since the table looks complete. Similarity is about the topic: near-misses score "
        "like others. Ask the model if the page states the answer, and measure that on near-misses.",
    ],
    "q7": [
        "A yes, B yes, C yes: retrieval makes answers grounded.",
        "A: no, it fits the prompt. B: no, look up the order. C: yes. Cases: 200 messages with the answers "
        "that serve, recall at 3 by language, against BM25.",
    ],
}
