"""Similar answers: renaming and layout hide nothing, common code accuses nobody, a thousand take seconds."""

from __future__ import annotations

import math
import random
import re
import statistics
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from fakes import small_assignment
from hypothesis import given, settings
from hypothesis import strategies as st

from aicourse.tooling.grading.authoring.assignment import Assignment, load_assignment
from aicourse.tooling.grading.authoring.checks_file import Planted
from aicourse.tooling.grading.authoring.samples import samples
from aicourse.tooling.grading.judging.results import QuestionOutcome, SubmissionResult
from aicourse.tooling.grading.publishing import similarity
from aicourse.tooling.grading.publishing.fingerprints import GUARANTEED, K, Token, hashes, tokens, winnow
from aicourse.tooling.grading.publishing.similarity import _rank, compare, render
from aicourse.tooling.grading.submissions.reading import read_notebook
from aicourse.tooling.grading.submissions.restoring import restore

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from similar_class import generated_class

ORIGINAL = """
def read_size(text):
    # find the number before the unit
    words = text.split()
    for position, word in enumerate(words[:-1]):
        if word.isdigit() and words[position + 1] == "cm":
            return int(word)
    return None
"""
DISGUISED = """
def read_size(s):

    parts = s.split()      # split it up
    for i, w in enumerate( parts[:-1] ):
        if w.isdigit() and parts[i + 1] == 'cm':
            return int(w)

    return None
"""
OTHER = """
def read_size(text):
    import re
    found = re.search(r"([0-9]+) *cm", text)
    return None if found is None else int(found.group(1))
"""


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return small_assignment(tmp_path_factory.mktemp("hw"))


def result(student: str, answer: str, status: str = "graded") -> SubmissionResult:
    question = QuestionOutcome(id="q1", title="", kind="auto", points=4, earned=4, answer=answer)
    return SubmissionResult(
        student=student,
        submission="",
        assignment="hw01",
        title="",
        status=status,  # type: ignore[arg-type]
        sentence="",
        questions=(question,),
    )


def own_code(seed: int) -> str:
    """A program that only its author would write."""
    draw = random.Random(seed)
    calls = [
        "len",
        "sum",
        "max",
        "min",
        "sorted",
        "abs",
        "round",
        "list",
        "set",
        "str",
        "int",
        "float",
        "any",
        "all",
    ]
    lines = [
        f"    v{n} = {draw.choice(calls)}(v{draw.randrange(n + 1)}) {draw.choice('+-*/%')} {n}"
        for n in range(14)
    ]
    draw.shuffle(lines)
    return "def read_size(v0):\n" + "\n".join(lines) + "\n    return v3"


def test_renaming_comments_and_layout_hide_nothing() -> None:
    assert [token.text for token in tokens(ORIGINAL)] == [token.text for token in tokens(DISGUISED)]


def test_a_disguised_copy_is_found_first(assignment: Assignment) -> None:
    results = [result(f"s{seed}", own_code(seed)) for seed in range(15)]
    report = compare(
        assignment, [*results, result("ada", ORIGINAL), result("bo", DISGUISED), result("cem", OTHER)]
    )
    first = report.pairs[0]
    assert (first.left, first.right) == ("ada", "bo")
    assert (first.left_share, first.right_share) == (1, 1)
    assert not first.identical
    (shared,) = first.shared
    assert all(0 <= start < end <= len(shared.left) for start, end in shared.left_spans)
    covered = sum(end - start for start, end in shared.left_spans)
    assert covered > 0.7 * len(ORIGINAL.strip())


def test_what_the_class_shares_accuses_nobody(assignment: Assignment) -> None:
    results = [result(f"s{number}", ORIGINAL.replace("words", f"words{number}")) for number in range(30)]
    assert compare(assignment, results).pairs == ()


def test_what_was_handed_out_does_not_count(assignment: Assignment) -> None:
    results = [result(f"s{seed}", own_code(seed)) for seed in range(4)]
    results += [result("ada", ORIGINAL), result("bo", ORIGINAL)]
    handed_out = replace(
        assignment, cells=tuple(replace(cell, released=ORIGINAL) for cell in assignment.cells)
    )
    found = [
        {(pair.left, pair.right) for pair in compare(one, results).pairs} for one in (assignment, handed_out)
    ]
    assert found[0] - found[1] == {("ada", "bo")}


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("hw03", "hw05", "hw06")]


@pytest.mark.parametrize("homework", ["hw01", "hw02", "hw04", *SLOW])
def test_the_planted_copy_ranks_first(homework: str) -> None:
    """Of the simulated students, most hand in the same right answers and the same known mistakes."""
    loaded = load_assignment(homework)
    made = {sample.student: sample for sample in samples(loaded)}
    results = [
        replace_answers(student, restore(loaded, read_notebook(sample.content)).answers)
        for student, sample in made.items()
        if sample.kind != "no notebook at all"
    ]
    pairs = compare(loaded, results).pairs
    kinds = [{made[pair.left].kind, made[pair.right].kind} for pair in pairs]
    assert kinds[0] == {"copied from", "copied to"}
    assert {"all right"} not in kinds


def replace_answers(student: str, answers: dict[str, str]) -> SubmissionResult:
    questions = [
        QuestionOutcome(id=name, title="", kind="auto", points=1, answer=text)
        for name, text in answers.items()
    ]
    return result(student, "").model_copy(update={"questions": tuple(questions)})


def test_a_shared_sample_answer_accuses_nobody(assignment: Assignment) -> None:
    """Neither an answer that the instructor knows as right nor one that is planted as wrong."""
    results = [result(f"s{seed}", own_code(seed)) for seed in range(8)]
    results += [result("ada", ORIGINAL), result("bo", DISGUISED), result("cem", OTHER), result("dana", OTHER)]
    known = replace(
        assignment, alternatives={"q1": (ORIGINAL,)}, planted=(Planted("q1", "regex", 1, "", OTHER),)
    )
    found = [
        {frozenset((pair.left, pair.right)) for pair in compare(one, results).pairs}
        for one in (assignment, known)
    ]
    assert found[0] >= {frozenset(("ada", "bo")), frozenset(("cem", "dana"))}
    assert not found[1] & {frozenset(("ada", "bo")), frozenset(("cem", "dana"))}


def test_choosing_the_same_common_ways_stands_out(assignment: Assignment) -> None:
    """Each approach is taken by a quarter of the class; copies of a whole work are ranked first."""
    made = generated_class(students=60, copies=1, seed=5)
    name = assignment.questions[0].id
    results = [result(student, "\n\n".join(answers.values())) for student, answers in made.answers.items()]
    assert name == "q1"
    pairs = [frozenset((pair.left, pair.right)) for pair in compare(assignment, results).pairs]
    plain = [pair for pair, kind in made.planted.items() if kind in ("copied", "renamed", "reordered")]
    assert set(pairs[:3]) == set(plain)


@pytest.mark.parametrize("rows", [1, 7, 128])
def test_blocks_rank_as_all_pairs_at_once(
    rows: int, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the formula, pair by pair: shared bits, times the share that they are of both."""
    made = generated_class(students=30, copies=1, seed=3)
    results = [result(student, "\n\n".join(answers.values())) for student, answers in made.answers.items()]
    ranked: list[Any] = []

    def rank(documents: Any, weights: Any) -> Any:
        def bits(values: frozenset[int]) -> float:
            return sum(weights[value] for value in sorted(values))

        scores = {
            (left, right): bits(documents[left].prints & documents[right].prints) ** 2
            / math.sqrt(bits(documents[left].prints) * bits(documents[right].prints))
            for left, right in combinations(range(len(documents)), 2)
        }
        found = _rank(documents, weights)
        limit = 2 * statistics.median(scores.values())
        assert [scores[pair] for pair in found] == pytest.approx(
            sorted((score for score in scores.values() if score > limit), reverse=True)
        )
        ranked.append(found)
        return found

    monkeypatch.setattr(similarity, "_ROWS", rows)
    monkeypatch.setattr(similarity, "_rank", rank)
    assert compare(assignment, results).pairs
    assert len(set(ranked[0])) == len(ranked[0]) > 3


def test_what_could_not_be_graded_is_left_out(assignment: Assignment) -> None:
    report = compare(assignment, [result("ada", ORIGINAL, "failed"), result("bo", ORIGINAL)])
    assert report.students == 1


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=GUARANTEED, max_size=GUARANTEED + 12),
    st.lists(st.sampled_from("ijkl"), max_size=30),
    st.lists(st.sampled_from("mnop"), max_size=30),
)
def test_a_shared_run_of_guaranteed_length_is_always_found(
    shared: list[str], before: list[str], after: list[str]
) -> None:
    """The paper's guarantee: any common run of K + WINDOW - 1 tokens gives a common fingerprint."""
    first, second = ([Token(text, 0, 1) for text in items] for items in (before + shared, shared + after))
    assert set(winnow(first)) & set(winnow(second))


def test_shorter_runs_than_k_are_never_found() -> None:
    shared = [Token(str(number), 0, 1) for number in range(K - 1)]
    first = [*shared, *(Token("x", 0, 1) for _ in range(30))]
    second = [*(Token("y", 0, 1) for _ in range(30)), *shared]
    assert not set(hashes(first)) & set(hashes(second))


def test_the_papers_example() -> None:
    """Winnowing of the hashes in Figure 2(e) of the paper, window 4: the selected values of Figure 2(f)."""
    import aicourse.tooling.grading.publishing.fingerprints as module

    hashes = [77, 74, 42, 17, 98, 50, 17, 98, 8, 88, 67, 39, 77, 74, 42, 17, 98]
    selected = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WINDOW", 4)
        patch.setattr(module, "hashes", lambda items: [int(item.text) for item in items])
        found = module.winnow([Token(str(value), 0, 1) for value in hashes])
    selected = sorted((position, value) for value, positions in found.items() for position in positions)
    assert [value for _, value in selected] == [17, 17, 8, 39, 17]


@pytest.mark.parametrize(
    "source", ["def f(:\n  x = (", "'''", "\t x\n y", "naïve = 'é' + 名前\n", "", "1" * 5_000, "\x00"]
)
def test_what_is_no_python_still_has_tokens(source: str) -> None:
    found = tokens(source)
    assert all(0 <= token.start <= token.end <= len(source) for token in found)
    assert list(winnow(found)) == list(winnow(tokens(source)))


def test_spans_point_at_the_text() -> None:
    source = "größe = 1\nx = größe + 2\n"
    words = [source[token.start : token.end] for token in tokens(source)]
    assert [word for word in words if word.strip()] == ["größe", "=", "1", "x", "=", "größe", "+", "2"]


def test_the_page_says_what_it_is_and_escapes(assignment: Assignment) -> None:
    evil = ORIGINAL.replace("number", "<script>alert(1)</script>")
    others = [result(f"s{seed}", own_code(seed)) for seed in range(8)]
    text = render(compare(assignment, [result("<b>ada</b>", evil), result("bo", evil), *others]))
    assert "evidence to read, not a verdict" in text
    assert "<script" not in text
    assert "<b>ada" not in text
    assert "(the same text)" in text
    assert re.search(r"<mark>[^<]*split", text)


@pytest.mark.slow
def test_a_thousand_submissions(assignment: Assignment) -> None:
    """Work grows with what is shared, not with pairs: 499,500 pairs, but only planted ones are compared."""
    results = [result(f"s{seed}", own_code(seed)) for seed in range(998)]
    report = compare(assignment, [*results, result("ada", ORIGINAL), result("bo", DISGUISED)])
    assert (report.students, report.common_limit) == (1_000, 500)
    assert ("ada", "bo") in [(pair.left, pair.right) for pair in report.pairs[:3]]


def test_paths_are_not_needed(assignment: Assignment, tmp_path: Path) -> None:
    assert compare(assignment, []).pairs == ()
