"""The validation of a judge: its figures, its file, and what it may decide at the gate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judge_stand_in import items, judge, right, said, text
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from aicourse.errors import EvaluationError
from aicourse.evals import Rule, gate, rescore, runner, validate
from aicourse.evals.cases import Case
from aicourse.evals.runs import Run, load_run, save_run
from aicourse.evals.validation import JudgeFacts, Validation, read_validation

FACTS = JudgeFacts("judge_tone@v1", "0123456789ab", "m", ("yes", "no"), 0.3)
GOOD = Validation(FACTS, "made up", "d", (19, 20), (19, 20), (0, 0), stable=38, repeats=2)


# figures


def test_rates_and_kappa_are_those_of_other_libraries() -> None:
    found = Validation(FACTS, "made up", "d", (17, 20), (25, 30), (1, 1), stable=50)
    for rate, counts in ((found.tpr, (17, 20)), (found.tnr, (25, 30))):
        low, high = proportion_confint(*counts, method="wilson")
        assert (rate.estimate, rate.low, rate.high) == pytest.approx((counts[0] / counts[1], low, high))
    labels = ["pass"] * 20 + ["fail"] * 30
    verdicts = ["pass"] * 17 + ["fail"] * 2 + ["none"] + ["pass"] * 4 + ["fail"] * 25 + ["none"]
    assert found.kappa.estimate == pytest.approx(cohen_kappa_score(labels, verdicts))
    assert found.kappa.low < found.kappa.estimate < found.kappa.high


def test_it_is_read_in_text_and_in_html() -> None:
    shown = str(GOOD)
    assert shown.splitlines() == [
        "judge judge_tone@v1 (0123456789ab, m, yes passes, threshold 0.3) on made up",
        "TPR, of those labelled pass  0.95 (0.76 to 0.99)  19 of 20",
        "TNR, of those labelled fail  0.95 (0.76 to 0.99)  19 of 20",
        "kappa  0.90 (0.70 to 1.00)  40 items",
        "the same verdict each time  0.95 (0.83 to 0.99)  38 of 40, 2 times each",
        "may decide  yes",
    ]
    hostile = replace(GOOD, labels="<script>")
    assert "<script>" not in hostile._repr_html_()


@pytest.mark.parametrize(
    ("true_passes", "true_fails", "weak"),
    [
        ((19, 20), (19, 20), []),
        ((18, 20), (19, 20), ["TPR"]),
        ((19, 20), (18, 20), ["TNR"]),
        ((3, 3), (3, 3), ["TPR", "TNR"]),
        ((19, 20), (0, 20), ["TNR"]),
    ],
)
def test_a_judge_is_too_weak_below_the_lower_ends(
    true_passes: tuple[int, int], true_fails: tuple[int, int], weak: list[str]
) -> None:
    doubt = replace(GOOD, true_passes=true_passes, true_fails=true_fails, stable=0).doubt()
    assert [name for name in ("TPR", "TNR") if name in doubt] == weak
    assert bool(doubt) is bool(weak)


# its file


def test_it_is_kept_in_a_file(tmp_path: Path) -> None:
    path = GOOD.save(tmp_path / "deep" / "judge.json")
    assert read_validation(path) == GOOD
    assert json.loads(path.read_text())["validation"]["judge"]["prompt"] == "judge_tone@v1"


def changed(**fields: Any) -> str:
    whole = {
        "judge": {
            "prompt": "p@v1", "hash": "h", "model": "m", "answers": ["yes", "no"], "threshold": None
        },
        "labels": "l", "digest": "d", "stable": 2, "repeats": 1,
        "true_passes": [1, 1], "true_fails": [0, 1], "unreadable": [0, 1],
    }  # fmt: skip
    return json.dumps({"validation": whole | fields})


def test_the_file_as_it_should_be(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(changed())
    assert read_validation(tmp_path / "v.json").items == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"validation": 1}',
        '{"validation": NaN}',
        "\udcff",
        changed(stable=3),
        changed(stable=-1),
        changed(repeats=0),
        changed(judge="p"),
        changed(true_passes=[5, 4]),
        changed(true_passes=[-1, 4]),
        changed(true_passes=[0, 0]),
        changed(true_passes=[1.5, 2]),
        changed(true_fails=[1, 1]),
        changed(digest=None),
    ],
)
def test_what_is_no_validation_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(EvaluationError, match="not the validation of a judge"):
        read_validation(tmp_path / "v.json")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="No such file"):
        read_validation(tmp_path / "v.json")


# the gate

CASES = [
    Case(id=str(n), input={"article": "We keep 8 %.", "question": "?"}, expected=None) for n in range(40)
]
RULE = Rule("judge_agrees", tolerance=0.10)


def run_of(name: str, *, path: Path | None = None, **settings: Any) -> Run:
    settings.setdefault("opinion", right)
    made = runner.run(
        lambda case: f"8 %, says clerk {case.id} ({name})",
        CASES,
        [judge(**settings)],
        name=name,
        progress=False,
    )
    return save_run(made, path) if path else made


def validated(opinion: Any = right, **settings: Any) -> Validation:
    return validate(judge(opinion, **settings), items(), progress=False)


def lenient(body: dict[str, Any]) -> str:
    """The opinion of a judge that lets one in three bad answers pass."""
    is_bad = "12 %, says" in text(body)
    return said("yes" if not is_bad or int(text(body).split("clerk ")[1].split()[0]) % 3 == 0 else "no")


@pytest.mark.parametrize("kept", [False, True])
def test_an_unvalidated_judge_decides_nothing(kept: bool, tmp_path: Path) -> None:
    before = run_of("v1", path=tmp_path / "1.jsonl" if kept else None)
    result = gate(before, run_of("v2", path=tmp_path / "2.jsonl" if kept else None), [RULE])
    assert (result.passed, result.exit_code) == (False, 1)
    assert "judge judge_agrees@v1 (99fbbc94b8c0, m, yes passes) is not validated" in result.headline
    assert result.overall[0].verdict == "pass"  # by the score alone it would have


@pytest.mark.parametrize("kept", [False, True])
def test_a_weak_one_decides_nothing_unless_the_rule_takes_less(kept: bool, tmp_path: Path) -> None:
    weak = validated(lenient)
    before, after = (
        run_of(name, path=tmp_path / name if kept else None, opinion=lenient, validation=weak)
        for name in ("v1", "v2")
    )
    assert "is too weak: TNR 0.65 (0.43 to 0.82)" in gate(before, after, [RULE]).headline
    assert gate(before, after, [replace(RULE, judge_at_least=0.4)]).passed


@pytest.mark.parametrize("kept", [False, True])
def test_a_validated_one_decides(kept: bool, tmp_path: Path) -> None:
    good = validated()
    noted = [run_of(name, path=tmp_path / name if kept else None, validation=good) for name in ("v1", "v2")]
    assert gate(*noted, [RULE]).passed
    before, after = (run_of(name, path=tmp_path / f"{name}+" if kept else None) for name in ("v1", "v2"))
    assert gate(before, after, [RULE], validations=[good]).passed
    assert not gate(before, after, [RULE], validations=[good, validated(lenient)]).passed


@pytest.mark.parametrize(
    "fields", [{"hash": "000000000000"}, {"model": "n"}, {"threshold": 0.5}, {"answers": ("no", "yes")}]
)
def test_the_validation_of_another_judge_is_none(fields: dict[str, Any]) -> None:
    good = validated()
    others = replace(good, judge=replace(good.judge, **fields))
    result = gate(run_of("v1"), run_of("v2"), [RULE], validations=[others])
    assert "is not validated" in result.headline
    noted = [run_of(name, validation=others) for name in ("v1", "v2")]
    assert "WARNING" in str(noted[0])
    assert not gate(*noted, [RULE]).passed


def test_both_runs_need_the_same_judge() -> None:
    good = validated()
    before, after = run_of("v1", validation=good), run_of("v2", model="n", validation=validated(model="n"))
    assert "was given by judge judge_agrees@v1 (99fbbc94b8c0, m" in gate(before, after, [RULE]).headline

    def judge_agrees(context: Any) -> bool:
        return True

    by_rule = rescore(before, [judge_agrees])
    assert "and by no judge: rescore both runs" in gate(before, by_rule, [RULE]).headline


def test_a_run_judged_later_takes_the_new_judge(tmp_path: Path) -> None:
    good = validated()
    runs = [run_of(name, path=tmp_path / name) for name in ("v1", "v2")]
    later = [rescore(load_run(run.path or ""), [judge(right, validation=good)]) for run in runs]
    assert gate(*later, [RULE]).passed


def test_other_rules_are_not_disturbed() -> None:
    def short(context: Any) -> bool:
        return len(context.output) < 100

    both = [
        runner.run(
            lambda case: f"8 %, says clerk {case.id}", CASES, [judge(right), short], name=name, progress=False
        )
        for name in ("v1", "v2")
    ]
    assert gate(*both, [Rule("short", tolerance=0.10)]).passed
    assert not gate(*both, [Rule("short", tolerance=0.10), RULE]).passed
