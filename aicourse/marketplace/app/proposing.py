"""Proposals: the model fills in the form in the background, within a time limit and a budget.

    proposer = Proposer(store, connect, model="qwen2.5-coder-0.5b", prompt="extract_listing@production")
    proposer.begin(listing_id, draft)      # returns at once

The seller never depends on it. A model that is down, slow, over budget or of no use leaves a note of why, and
the form stays empty. The deadline is stored with the proposal, so it also ends one whose process was killed.

In an experiment a seller gets the proposal of their variant. Afterwards the other variants are asked as well,
within the same time: only so is an exposure *triggered* alike in all of them. That doubles what it costs.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from openai import OpenAI
from opentelemetry.trace import Span

from aicourse import prompts
from aicourse.experiments.assignment import assign
from aicourse.experiments.experiment import Experiment
from aicourse.experiments.exposures import log_exposure
from aicourse.marketplace.app.background import FAILURES, Background, problem_of, trace_id_of
from aicourse.marketplace.app.store import Draft
from aicourse.marketplace.extraction.extracting import Extraction, extract
from aicourse.monitoring.feedback import as_kept
from aicourse.monitoring.spans import note, span
from aicourse.prompts.prompt import Prompt

_log = logging.getLogger(__name__)


@dataclass
class Proposer(Background):
    """Asks `model` with `prompt` for the attributes of drafts, `limit_seconds` for each.

    The variants of an `experiment` are versions or labels of the prompt: `production`, `v6`.

    Raises:
        PromptError: there is no such version.
    """

    prompt: str
    limit_seconds: float
    experiment: Experiment | None = None

    def __post_init__(self) -> None:
        for variant in [None, *(self.experiment.variants if self.experiment else [])]:
            self.load_prompt(variant)

    def begin(self, listing_id: str, draft: Draft) -> None:
        """Let the model work on a draft; where too many wait, it has failed."""
        ends = time.monotonic() + self.limit_seconds  # not after the deadline that is stored
        self.store.begin_proposal(listing_id, self.limit_seconds)
        with self._places:  # a draft that waits keeps its photo in memory
            if has_place := self._has_place(draft.seller_id):
                self._told[listing_id] = draft.seller_id, []
        if has_place:
            self.pool.submit(self._work, listing_id, draft, ends)
        else:
            self.store.fail_proposal(listing_id, "slow", "too many drafts wait")

    def load_prompt(self, variant: str | None) -> Prompt:
        """The prompt of a variant, or of those who take no part."""
        control = self.experiment.control if self.experiment else None
        name, _, version = self.prompt.partition("@")
        return prompts.load(f"{name}@{variant or control or version}")

    def _work(self, listing_id: str, draft: Draft, ends: float) -> None:
        """One draft in a thread of its own: nothing that is raised here has anybody above it."""
        variant = assign(self.experiment, draft.seller_id) if self.experiment else None
        try:
            self._propose(listing_id, draft, variant, ends)
        except Exception as error:
            _log.exception("A defect in the proposal for %s.", listing_id)
            self.store.fail_proposal(listing_id, "down", f"{type(error).__name__}: {error}")
        finally:
            with self._places:  # a draft that was sent again after its deadline has one place for both
                self._told.pop(listing_id, None)

    def _propose(self, listing_id: str, draft: Draft, variant: str | None, ends: float) -> None:
        facts = (
            {"experiment": self.experiment.name, "variant": variant} if self.experiment and variant else {}
        )
        trace_id, seconds, shown = None, 0.0, None
        try:
            with span("propose", client=draft.client, model=self.model, **facts) as current:
                trace_id = trace_id_of(current)
                client = self._connected()
                seconds = ends - time.monotonic()
                shown = self._extract(client, variant, draft, seconds)
                _note_outcome(current, shown)
        except FAILURES as error:
            reason = f"{type(error).__name__}: {error}"
            self.store.fail_proposal(listing_id, problem_of(error), reason, trace_id)
        else:
            if shown.attributes is None:
                self.store.fail_proposal(listing_id, "no use", shown.problem or "", trace_id)
            else:
                self.store.end_proposal(listing_id, shown.attributes.model_dump(), unsure(shown), trace_id)
        if self.experiment and variant and seconds > 0:  # else nobody was asked
            others = [one for one in self.experiment.variants if one != variant]
            with span("compare", client=draft.client, model=self.model):
                outcomes = [self._outcome(one, draft, seconds) for one in others]
            triggered = any(one != _fields(shown) for one in outcomes)
            log_exposure(
                self.store.exposures,
                self.experiment,
                draft.seller_id,
                variant,
                triggered=triggered,
                client=draft.client,
                listing=listing_id,
            )

    def _extract(self, client: OpenAI, variant: str | None, draft: Draft, seconds: float) -> Extraction:
        if seconds <= 0:
            raise TimeoutError("other drafts took all the time")
        ends = time.monotonic() + seconds
        hurried = client.with_options(timeout=seconds, max_retries=0)
        prompt = self.load_prompt(variant)
        found = extract(draft.text, prompt, hurried, model=self.model, photo=draft.photo or None)
        if time.monotonic() > ends:
            raise TimeoutError("the answer came too late")
        return found

    def _outcome(self, variant: str, draft: Draft, seconds: float) -> dict[str, str] | None:
        """The fields that a variant would have proposed, as `_fields` has them."""
        try:
            return _fields(self._extract(self._connected(), variant, draft, seconds))
        except FAILURES:
            return None


def unsure(extraction: Extraction) -> dict[str, str]:
    """A sentence for each field that the seller should look at."""
    found = {}
    for warning in extraction.warnings:
        name, _, why = warning.partition(": ")
        found[name] = why[:1].upper() + why[1:]
    return found


def _fields(extraction: Extraction | None) -> dict[str, str] | None:
    """A proposal as far as it makes a difference to the seller; None for an empty form."""
    if extraction is None or extraction.attributes is None:
        return None
    return {name: as_kept(value) for name, value in extraction.attributes.model_dump().items()}


def _note_outcome(current: Span, extraction: Extraction) -> None:
    """The facts by which monitoring groups proposals."""
    name, _, version = extraction.prompt.partition("@")
    note(
        current,
        prompt=name,
        prompt_version=version or None,
        prompt_hash=extraction.prompt_hash,
        valid=int(extraction.attributes is not None),
    )
    if extraction.attributes:
        values = extraction.attributes.model_dump()
        empty = sum(value in (None, []) for value in values.values())
        note(current, category=values["category"], empty_fields=empty)
