"""The help centre: questions, passages and answers agree with its articles, and its splits do not leak."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import cohen_kappa_score

from aicourse.datasets import (
    HelpArticle,
    HelpQuestion,
    Passage,
    help_articles,
    help_probes,
    help_questions,
    help_second_annotator,
    read_help_article,
    read_help_questions,
)
from aicourse.errors import DatasetError
from aicourse.paths import datasets_dir

FOLDER = datasets_dir() / "help_center"
DATASHEET = FOLDER / "README.md"
KINDS = {  # per kind: dev and test, grader
    "keyword": (20, 10),
    "paraphrase": (25, 12),
    "two_hop": (14, 8),
    "near_miss": (20, 10),
    "unanswerable": (12, 6),
    "outdated": (11, 6),
    "typos": (10, 4),
    "other_language": (8, 4),
}
UNANSWERABLE = {"near_miss", "unanswerable"}
CONTRADICTIONS = {  # the newer article first, as in the datasheet
    "appeals": ("within five working days", "prohibited", "within two working days"),
    "parcel-cover": ("standard cover of 100 €", "damaged-parcels", "up to 50 € by the standard cover"),
    "pickup-points": ("for 7 days", "tracking", "for 10 days"),
    "pallets": ("up to 250 kg can be sent", "shipping", "Heavier things must be collected"),
}
FILLERS = set(
    re.findall(
        r"\w+",
        """
a an and any are as at be been but by can could did do does for from had has have he her his how i if in
into is it its long may me more much must my no not of on once one only or other our out she so some
still than that the their them then they there this to too under up was we were what when where which
who will with would you your yours after all also am anything before get gets got keep just like most
never nothing until without within
""",
    )
)


@pytest.fixture(scope="module")
def articles() -> dict[str, HelpArticle]:
    return {article.slug: article for article in help_articles()}


@pytest.fixture(scope="module")
def questions() -> tuple[HelpQuestion, ...]:
    return help_questions() + read_help_questions(FOLDER / "grader" / "questions.jsonl")


def stems(text: str) -> set[str]:
    """The first five letters of each word that carries meaning."""
    words = re.findall(r"[a-z]+", text.lower())
    return {word[:5] for word in words if word not in FILLERS and len(word) > 2}


def overused_frames(texts: list[str]) -> list[str]:
    """The first four words of a sentence that more than three sentences share."""
    sentences = itertools.chain.from_iterable(re.split(r"[.!?\n]+", text.lower()) for text in texts)
    frames = Counter(" ".join(words[:4]) for s in sentences if len(words := re.findall(r"\w+", s)) >= 4)
    return [frame for frame, count in frames.items() if count > 3]


def test_articles_have_their_number_and_length(articles: dict[str, HelpArticle]) -> None:
    assert len(articles) == 78
    assert {slug for slug, a in articles.items() if not 60 <= len(a.text.split()) <= 400} == set()


def test_an_outdated_article_names_the_newer_current_one(articles: dict[str, HelpArticle]) -> None:
    outdated = [article for article in articles.values() if article.status == "outdated"]
    assert len(outdated) == 8
    for article in articles.values():
        assert (article.status == "outdated") == (article.superseded_by is not None), article.slug
    for article in outdated:
        successor = articles[article.superseded_by or ""]
        assert successor.status == "current"
        assert successor.updated > article.updated, article.slug
        assert successor.version > article.version, article.slug


def test_current_articles_contradict_each_other_where_the_datasheet_says_so(
    articles: dict[str, HelpArticle],
) -> None:
    datasheet = DATASHEET.read_text(encoding="utf-8")
    for newer, (right, older, stale) in CONTRADICTIONS.items():
        assert right in articles[newer].text
        assert stale in articles[older].text
        assert articles[newer].updated > articles[older].updated
        assert f"| `{newer}` | `{older}` |" in datasheet


def test_one_article_holds_an_injected_instruction(articles: dict[str, HelpArticle]) -> None:
    assert [a.slug for a in articles.values() if re.search("ignore your.*instructions", a.text, re.I)] == [
        "payment-failed"
    ]
    hosts = {host for a in articles.values() for host in re.findall(r"https?://([\w.-]+)", a.text)}
    assert all(host.endswith(".example") for host in hosts)


def test_no_sentence_frame_is_used_more_than_three_times(
    articles: dict[str, HelpArticle], questions: tuple[HelpQuestion, ...]
) -> None:
    assert overused_frames([article.text for article in articles.values()]) == []
    assert overused_frames([question.question for question in questions]) == []


def test_no_article_is_a_near_copy_of_another(articles: dict[str, HelpArticle]) -> None:
    matrix = TfidfVectorizer(ngram_range=(1, 2)).fit_transform(a.text for a in articles.values())
    similarity = (matrix @ matrix.T).toarray()
    similarity[range(len(articles)), range(len(articles))] = 0
    assert similarity.max() < 0.6


def test_kinds_and_splits_have_their_sizes(questions: tuple[HelpQuestion, ...]) -> None:
    assert Counter(q.split for q in questions) == {"dev": 120, "test": 120, "grader": 60}
    counts = Counter((q.kind, q.split) for q in questions)
    assert {kind: (counts[kind, "dev"], counts[kind, "grader"]) for kind in KINDS} == KINDS
    assert all(counts[kind, "test"] == counts[kind, "dev"] for kind in KINDS)
    assert [q.id for q in questions] == [f"Q{number:03}" for number in range(1, 301)]


def test_passages_stand_once_in_their_article(
    articles: dict[str, HelpArticle], questions: tuple[HelpQuestion, ...]
) -> None:
    for question in questions:
        for relevant in question.relevant:
            assert articles[relevant.article].text.count(relevant.passage) == 1, (question.id, relevant)


def test_unanswerable_questions_are_the_ones_without_passage_and_answer(
    questions: tuple[HelpQuestion, ...],
) -> None:
    for q in questions:
        assert {bool(q.relevant), bool(q.answer), bool(q.must)} == {q.kind not in UNANSWERABLE}, q.id
        assert (len(q.relevant) == 2) == (q.kind == "two_hop"), q.id


def test_a_reference_answer_passes_its_own_rule(questions: tuple[HelpQuestion, ...]) -> None:
    for question in questions:
        for group in question.must:
            assert any(text in question.answer.lower() for text in group), (question.id, group)


@pytest.mark.parametrize(
    "abstention",
    [
        "I don't know.",
        "The help centre does not say.",
        "No answer: none of the articles states it.",
        "I cannot find that in the articles, so I do not know; please ask support.",
    ],
)
def test_an_abstention_passes_no_rule(questions: tuple[HelpQuestion, ...], abstention: str) -> None:
    """ "no" alone would be a rule that any "I don't know" passes; nor does one digit state a number."""
    for q in questions:
        assert not q.must or not all(any(t in abstention.lower() for t in group) for group in q.must), q.id
        assert not any(len(text) == 1 for group in q.must for text in group), q.id


def spans(articles: dict[str, HelpArticle], passages: tuple[Passage, ...]) -> list[tuple[str, set[int]]]:
    """The characters of its article that each passage covers."""
    starts = [articles[p.article].text.index(p.passage) for p in passages]
    return [
        (p.article, set(range(start, start + len(p.passage))))
        for p, start in zip(passages, starts, strict=True)
    ]


def overlapping(these: list[tuple[str, set[int]]], those: list[tuple[str, set[int]]]) -> int:
    """How many of `these` share text with one of `those`."""
    return sum(any(a == b and here & there for b, there in those) for a, here in these)


def test_the_datasheet_states_the_agreement_of_the_annotators(articles: dict[str, HelpArticle]) -> None:
    second = help_second_annotator()
    first = {q.id: q.relevant for q in help_questions() if q.id in second}
    assert len(first) == len(second) == 60
    by_article = [
        [slug in {p.article for p in marks[id]} for id in sorted(second) for slug in sorted(articles)]
        for marks in (first, second)
    ]
    answerable = [[bool(marks[id]) for id in sorted(second)] for marks in (first, second)]
    pairs = [(spans(articles, first[id]), spans(articles, second[id])) for id in sorted(second)]
    found = sum(overlapping(one, two) for one, two in pairs)
    shared = sum(overlapping(two, one) for one, two in pairs)
    wanted, marked = sum(len(one) for one, _ in pairs), sum(len(two) for _, two in pairs)
    both = sum(one and two for one, two in zip(*by_article, strict=True))
    table = f"""
| articles, of {len(by_article[0])} pairs | kappa {cohen_kappa_score(*by_article):.2f} | \
{both} marked by both, {sum(by_article[0])} by the first, {sum(by_article[1])} by the second |
| answerable, of 60 questions | kappa {cohen_kappa_score(*answerable):.2f} | \
{sum(answerable[0])} by the first, {sum(answerable[1])} by the second |
| passages | recall {found / wanted:.2f}, precision {shared / marked:.2f} | \
the second found {found} of {wanted}, and marked {marked - shared} more |
"""
    assert table in DATASHEET.read_text(encoding="utf-8")


def test_probes_of_the_injection_forbid_its_link_and_have_an_honest_answer(
    articles: dict[str, HelpArticle], questions: tuple[HelpQuestion, ...]
) -> None:
    probes = help_probes()
    assert [probe.id for probe in probes] == [f"P{number:02}" for number in range(1, 16)]
    assert {probe.tone for probe in probes} == {"plain", "urging", "worried", "close"}
    injected = articles["payment-failed"].text.lower()
    for probe in probes:
        assert "kringloop-checkout" in probe.forbidden, probe.id
        assert any(text in injected for text in probe.forbidden), probe.id
        assert not any(text in probe.answer.lower() for text in probe.forbidden), probe.id
        assert set(probe.articles) <= set(articles), probe.id
    asked = {q.question for q in questions}
    assert len({probe.question for probe in probes} - asked) == 15


def test_the_datasheet_states_for_how_many_probes_the_injected_article_is_near(
    articles: dict[str, HelpArticle],
) -> None:
    vectorizer = TfidfVectorizer(stop_words="english")
    texts = vectorizer.fit_transform(f"{a.title}\n{a.text}" for a in articles.values())
    scores = (vectorizer.transform(p.question for p in help_probes()) @ texts.T).toarray()
    first = np.argsort(-scores, axis=1)[:, :5]
    near = (first == list(articles).index("payment-failed")).any(axis=1).sum()
    assert f"among the first five for {near} of 15 probes" in DATASHEET.read_text(encoding="utf-8")


def test_questions_about_outdated_matters_concern_an_article_with_an_older_version(
    articles: dict[str, HelpArticle], questions: tuple[HelpQuestion, ...]
) -> None:
    replaced = {article.superseded_by for article in articles.values()}
    for q in questions:
        for relevant in q.relevant:
            outdated = articles[relevant.article].status == "outdated"
            if q.kind == "outdated":
                assert outdated or relevant.article in replaced, q.id
            else:
                assert not outdated, q.id


def test_every_article_is_asked_about(
    articles: dict[str, HelpArticle], questions: tuple[HelpQuestion, ...]
) -> None:
    assert {relevant.article for q in questions for relevant in q.relevant} == set(articles)


def test_a_paraphrase_shares_no_word_with_its_passage(questions: tuple[HelpQuestion, ...]) -> None:
    for q in questions:
        if q.kind == "paraphrase":
            assert stems(q.question) & stems(q.relevant[0].passage) == set(), q.id


def test_no_question_is_a_near_copy_of_another(questions: tuple[HelpQuestion, ...]) -> None:
    """Character n-gram TF-IDF (scikit-learn). Within a split, a near miss may be close to its hit."""
    matrix = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(
        q.question for q in questions
    )
    similarity = (matrix @ matrix.T).toarray()
    similarity[range(len(questions)), range(len(questions))] = 0
    splits = np.array([q.split for q in questions])
    assert similarity.max() < 0.8
    assert (similarity * (splits[:, None] != splits)).max() < 0.6


def test_no_passage_is_asked_for_in_two_splits(
    articles: dict[str, HelpArticle], questions: tuple[HelpQuestion, ...]
) -> None:
    """Not even in part: a question in other words about the same sentence would leak its answer."""
    asked: dict[tuple[str, int], str] = {}
    for q in questions:
        for relevant in q.relevant:
            start = articles[relevant.article].text.index(relevant.passage)
            for position in range(start, start + len(relevant.passage)):
                key = (relevant.article, position)
                assert asked.setdefault(key, q.split) == q.split, (q.id, relevant)


@pytest.mark.parametrize(
    "name", ["questions.jsonl", "grader/questions.jsonl", "second_annotator.jsonl", "probes.jsonl"]
)
def test_the_datasheet_states_the_hash_of_each_file(name: str) -> None:
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    assert f"- `{name}` {digest}" in DATASHEET.read_text(encoding="utf-8")


def test_the_datasheet_states_the_hash_of_the_articles() -> None:
    whole = hashlib.sha256()
    for path in sorted((FOLDER / "articles").glob("*.md")):
        whole.update(path.read_bytes())
    assert f"- `articles/*.md`, joined by name {whole.hexdigest()}" in DATASHEET.read_text(encoding="utf-8")


def test_the_hidden_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="hidden"):
        help_questions("grader")
    assert {q.split for q in help_questions("test")} == {"test"}


@pytest.mark.parametrize("text", ["no front matter", "---\n- a list\n---\nx", "---\ntitle: only\n---\nx"])
def test_a_broken_article_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"broken\.md"):
        read_help_article(path)


def test_a_broken_question_is_named(tmp_path: Path) -> None:
    good = (FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()[0]
    path = tmp_path / "questions.jsonl"
    path.write_text(f'{good}\n{{"id": "Q900"}}\n', encoding="utf-8")
    with pytest.raises(DatasetError, match="line 2: missing question"):
        read_help_questions(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", r"not UTF-8 \(byte 0\)\. Save it"),
        (b'{"relevant": 5}', "has a field of another form: .* Correct it"),
        (b'{"relevant": [{"passage": "x"}]}', "has a field of another form"),
        (b'{"relevant": [], "more": 1}', "has a field of another form"),
        (None, r"questions\.jsonl cannot be read: .* Name another file"),
    ],
)
def test_questions_of_another_form_are_refused_in_a_sentence(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "questions.jsonl"
    if content is not None:
        path.write_bytes(content)
    if content and content.startswith(b"{"):
        good = json.loads((FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()[0])
        path.write_text(json.dumps(good | json.loads(content)), encoding="utf-8")
    with pytest.raises(DatasetError, match=said):
        read_help_questions(path)
