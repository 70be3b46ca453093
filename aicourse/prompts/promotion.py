"""Labels: words such as `production` and `candidate` that stand for a version and may move to another.

    notebooks/prompts/extract_listing/labels.json:
    {"production": [{"action": "promote", "version": 4, "hash": "9f2c…", "at": "2026-11-24T10:00:00+00:00",
                     "reason": "PASS: v4 may replace v3.", "by": "you"}]}

Each move is kept. `production` moves only with the `Approval` of a gate that has passed, other labels move
freely. Your moves are written to your own folder, with a copy of the shipped history before them, and from
then on your file decides about that label. An approval is a record of a decision, not a lock: whoever can
write Python can write one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from aicourse import paths
from aicourse.errors import PromptError
from aicourse.prompts import folders
from aicourse.prompts.prompt import Prompt
from aicourse.suggestions import did_you_mean

FILE = "labels.json"
PRODUCTION = "production"
_LABEL = re.compile(r"(?!v?[0-9]+$)[a-z][a-z0-9_-]{0,31}")


class LabelMove(BaseModel):
    """One move of a label: to which version, when and why. `by` is "you" or "the course", never a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    label: str
    action: Literal["promote", "rollback"]
    version: int
    hash: str
    at: datetime
    reason: str
    by: Literal["you", "the course"]


@dataclass(frozen=True)
class Approval:
    """The decision of a gate about two prompts, by their hashes, as `promote` asks for it.

    `headline` is the gate's sentence, `cases` how many it looked at.
    """

    passed: bool
    headline: str
    before_hash: str
    after_hash: str
    cases: int


_Moves = dict[str, list[LabelMove]]
_MOVES = TypeAdapter(_Moves)


def history(name: str, label: str = PRODUCTION) -> tuple[LabelMove, ...]:
    """Every move of a label, the first one first; empty when the label is not used.

    Raises:
        PromptError: the file of labels is damaged.
    """
    return tuple(_moves(name).get(label, ()))


def labels(name: str) -> tuple[LabelMove, ...]:
    """The move by which each label stands where it stands now, by label."""
    return tuple(moves[-1] for _, moves in sorted(_moves(name).items()) if moves)


def labelled(name: str, label: str, known: Sequence[int]) -> LabelMove:
    """The move by which a label stands where it stands; `known` are the versions that the message names.

    Raises:
        PromptError: no version has that label.
    """
    moves = history(name, label)
    if not moves:
        used = [move.label for move in labels(name)]
        guess = did_you_mean(label, used)
        raise PromptError(
            f"No version of {name} has the label {label!r}.{guess} Labels: {', '.join(used) or 'none'}; "
            f"versions: {', '.join(f'v{version}' for version in known)}. "
            f"Set it with: aicourse prompts promote {name}@{known[-1]} --label {label}",
            name=name,
            label=label,
        )
    return moves[-1]


def promote(prompt: Prompt, label: str = PRODUCTION, *, approval: Approval | None = None) -> LabelMove:
    """Move `label` to this version, which is frozen by it.

    `production` needs an approval of the change from the version it stands on now, except when it stands on
    none: then there is nothing to compare with.

    Raises:
        PromptError: no approval, one that failed or is about other content, or the label is there already.
    """
    if not _LABEL.fullmatch(label):
        raise PromptError(f"{label!r} is no label: use one lower-case word, such as candidate.", label=label)
    root = folders.own_dir()
    places = [known.resolve() for known in folders.roots()]
    if prompt.source is None or prompt.source.resolve().parent.parent not in places:
        raise PromptError(
            f"{prompt.ref} lies in no prompt folder, so no label can point to it. Make a version of it with: "
            f"aicourse prompts new {prompt.name} --file FILE",
            prompt=prompt.ref,
        )
    folders.mark_used(prompt)
    with folders.locked(root / prompt.name):
        moves = _moves(prompt.name)
        current = moves[label][-1] if moves.get(label) else None
        if current and (current.version, current.hash) == (prompt.version, prompt.hash):
            raise PromptError(f"{prompt.ref} has the label {label} already. There is nothing to do.")
        if label == PRODUCTION and current:
            _check(approval, current, prompt)
        reason = approval.headline if approval else "first version" if label == PRODUCTION else "set by hand"
        return _moved(root / prompt.name, moves, label, "promote", prompt, reason)


def rollback(name: str, label: str = PRODUCTION) -> LabelMove:
    """Move `label` back to the version it stood on before; doing so twice goes back two steps.

    Raises:
        PromptError: there is nothing to go back to.
    """
    root = folders.own_dir()
    with folders.locked(root / name):
        moves = _moves(name)
        steps = _steps(moves.get(label, []))
        if len(steps) < 2:
            raise PromptError(
                f"{name}@{label} cannot go back: it has no earlier version. "
                f"See its history with: aicourse prompts list {name}",
                name=name,
                label=label,
            )
        left, to = steps[-1], steps[-2]
        reason = f"back from v{left.version}"
        return _moved(root / name, moves, label, "rollback", to, reason)


def _steps(moves: Sequence[LabelMove]) -> list[LabelMove]:
    """The promotions that are not taken back; the last one is where the label stands."""
    steps: list[LabelMove] = []
    for move in moves:
        if move.action == "promote":
            steps.append(move)
        elif steps:
            steps.pop()
    return steps


def _check(approval: Approval | None, current: LabelMove, prompt: Prompt) -> None:
    advice = f"Run: aicourse prompts promote {prompt.ref} --before RUN --after RUN"
    if approval is None:
        problem = f"{prompt.ref} needs a passed gate to replace v{current.version} in production."
    elif not approval.passed:
        problem = f"{prompt.ref} stays out of production. {approval.headline}"
        advice = f"Repair it in a new version: aicourse prompts new {prompt.ref} --changelog …"
    elif approval.cases < 1:
        problem = "The gate has looked at no case, so it proves nothing."
    elif approval.after_hash != prompt.hash:
        problem = (
            f"The gate judged {approval.after_hash or 'an unnamed prompt'}, "
            f"and {prompt.ref} is {prompt.hash}."
        )
    elif approval.before_hash != current.hash:
        problem = (
            f"The gate compared with {approval.before_hash or 'an unnamed prompt'}, and in production is "
            f"v{current.version}, {current.hash}."
        )
    else:
        return
    raise PromptError(f"{problem} {advice}", prompt=prompt.ref, approval=approval)


def _moves(name: str) -> _Moves:
    """The moves by label: the shipped ones, and instead of them your own where you have moved a label."""
    merged: _Moves = {}
    for root in folders.roots():
        found: _Moves = folders.kept(root / name / FILE, _MOVES, {})
        merged |= found
    return merged


def _moved(
    folder: Path,
    moves: _Moves,
    label: str,
    action: Literal["promote", "rollback"],
    to: Prompt | LabelMove,
    reason: str,
) -> LabelMove:
    """Add a move to your own file; the history that came before it is kept there too."""
    move = LabelMove(
        label=label,
        action=action,
        version=to.version,
        hash=to.hash,
        at=datetime.now(UTC).replace(microsecond=0),
        reason=reason,
        by="you",
    )
    own: _Moves = folders.kept(folder / FILE, _MOVES, {})
    own[label] = [*moves.get(label, []), move]
    paths.write_atomically(folder / FILE, _MOVES.dump_json(own, indent=1) + b"\n")
    return move
