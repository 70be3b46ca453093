"""The file of a run that is being made: what of it is done already, or why it is another run's.

A file holds one run. It goes on if everything that it is of is as it was, and every case in it is chosen
again; more cases may be chosen than before. Otherwise it is refused and left as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aicourse.errors import EvaluationError
from aicourse.evals.cases import Case
from aicourse.evals.identity import SCORER
from aicourse.evals.runs import CaseRecord, Run, RunInfo, info_line, load_run, record_line
from aicourse.processes import sole_holder

Done = set[tuple[str, int]]  # case id, repeat
Keep = Callable[[CaseRecord], object]

_NAMED = 4  # at most so many cases, or parts of a task, are named in a refusal


@contextmanager
def kept(
    info: RunInfo, path: Path | str | None, cases: Iterable[Case]
) -> Iterator[tuple[Callable[[], Run], Keep, Done]]:
    """A place for records: the run so far, how to add to it, and what is done already.

    Raises:
        EvaluationError: `path` is a folder or holds another run, or another process is writing it.
    """
    if path is None:
        records: list[CaseRecord] = []
        yield lambda: Run(info, memory=tuple(sorted(records, key=_place))), records.append, set()
        return
    path = Path(path)
    if path.is_dir():
        raise EvaluationError(f"{path} is a folder. Name a file in it, such as {path / 'run.jsonl'}.")

    def refusal(holder: str) -> EvaluationError:
        return EvaluationError(
            f"Another process is writing {path}{holder}. Wait for it, or choose another path."
        )

    with sole_holder(path.with_name(f".{path.name}.lock"), refusal):
        done = _resume(path, info, cases)
        with open(path, "ab", buffering=0) as file:  # unbuffered: a record survives the end of this process
            yield lambda: load_run(path), lambda record: file.write(record_line(record)), done


def _place(record: CaseRecord) -> tuple[int, int]:
    return record.index, record.repeat


def _resume(path: Path, info: RunInfo, cases: Iterable[Case]) -> Done:
    """The part of this run in `path`; failed cases and half a line are taken out, to be done again."""
    if not path.exists() or path.stat().st_size == 0:
        path.write_bytes(info_line(info))
        return set()
    earlier = load_run(path)
    if differences := _differences(earlier.info, info):
        raise _refusal(path, differences)
    chosen = {case.id: (index, case.digest, case.tags) for index, case in enumerate(cases)}
    done: Done = set()
    others: dict[str, set[tuple[int, str]]] = {}  # why records are not of this run -> their places, ids
    copy = path.with_name(f".{path.name}.kept")
    try:
        with open(copy, "wb") as file:
            file.write(info_line(replace(info, started=earlier.info.started)))
            for record in (one for one in earlier.records() if one.error is None):
                if why := _why_not(record, chosen, done):
                    others.setdefault(why, set()).add((record.index, record.id))
                    continue
                done.add((record.id, record.repeat))
                file.write(record_line(replace(record, index=chosen[record.id][0])))
        if others:
            raise _refusal(
                path, [_counted(why, [id for _, id in sorted(places)]) for why, places in others.items()]
            )
        os.replace(copy, path)
    finally:
        copy.unlink(missing_ok=True)
    return done


def _why_not(record: CaseRecord, chosen: Mapping[str, tuple[int, str, tuple[str, ...]]], done: Done) -> str:
    if record.id not in chosen:
        return "not among the chosen ones"
    _, digest, tags = chosen[record.id]
    if record.digest != digest:
        return "changed since"
    if record.tags != tags:
        return "given other tags since"
    return "in it twice" if (record.id, record.repeat) in done else ""


def _counted(why: str, ids: list[str]) -> str:
    more = ", …" if len(ids) > _NAMED else ""
    are = "is" if len(ids) == 1 else "are"
    return f"of its cases, {len(ids)} {are} {why} ({', '.join(ids[:_NAMED])}{more})"


def _differences(earlier: RunInfo, info: RunInfo) -> list[str]:
    """The differences between what two runs are of, in words."""
    if not earlier.made_of:
        return ["it was written by an earlier version, which did not note what a run is of"]
    pairs = {"the name": (earlier.name, info.name), "repeats": (str(earlier.repeats), str(info.repeats))}
    names = sorted(earlier.facts.keys() | info.facts.keys())
    pairs |= {
        name: (earlier.facts.get(name, "not noted"), info.facts.get(name, "not noted")) for name in names
    }
    pairs |= {"Python": (earlier.made_of.get("Python", ""), info.made_of.get("Python", ""))}
    told = [f"{name} was {one} and is {other}" for name, (one, other) in pairs.items() if one != other]
    if earlier.made_of.get("Python", "") != info.made_of.get("Python", ""):
        return told  # compiled code differs then anyway
    parts = dict.fromkeys([*earlier.made_of, *info.made_of])
    changed = [name for name in parts if earlier.made_of.get(name) != info.made_of.get(name)]
    return told + [f"{name} changed" for name in changed]


def _refusal(path: Path, differences: list[str]) -> EvaluationError:
    more = f"; and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
    only_scorers = all(difference.startswith(SCORER) for difference in differences)
    rescore = (
        f" To score its outputs anew: aicourse evals rescore {path} (evals.rescore)." if only_scorers else ""
    )
    return EvaluationError(
        f"{path} holds another run: {'; '.join(differences[:_NAMED])}{more}. "
        f"Undo that, give this one a file of its own (--out, `path` in Python), or delete {path}.{rescore}",
        path=path,
        differences=differences,
    )
