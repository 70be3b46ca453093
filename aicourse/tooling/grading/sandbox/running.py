"""One submission, from a fresh kernel to its answers, keeping what was earned when a kernel is lost.

A cell or a call that takes the kernel with it (it exits, floods, swallows interrupts, eats all memory) is
*lethal*: the notebook runs again in a fresh kernel without it. Each attempt leaves out one thing more and
there is a deadline over all, so this ends. Everything that a kernel sends is untrusted: a reply counts only
for the request whose number it carries, while that request waits, and a forged one is but another wrong
answer.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aicourse.tooling.grading.sandbox import sentences
from aicourse.tooling.grading.sandbox.channel import ChannelBroken, ChannelClosed
from aicourse.tooling.grading.sandbox.encoding import NotPlainData, decoded, encode
from aicourse.tooling.grading.sandbox.execution import (
    Answer,
    CellFailure,
    Encoded,
    Ending,
    Job,
    StudentCall,
)
from aicourse.tooling.grading.sandbox.kernel import End, Kernel
from aicourse.tooling.grading.sandbox.outputs import CellOutputs, plain

MOST_LOST = 3  # calls of one function in a row: after so many it is not called again
MOST_ANSWERED = 16 << 20  # bytes of all answers of a submission, as JSON
GRACE = 0.5  # seconds that a cell or call has to give in to an interrupt
START_SECONDS = 30.0
PATIENCE = 3  # times on the clock what something may take of the CPU: machines are busy
_QUICK = 1.0  # seconds in which most cells and calls are done, and nobody asks for their CPU time
_SOON = 0.01
_LONGEST_PRINTED = 20_000
_MOST_OUTPUT = 2 << 20  # bytes that a call may send beside its answer
_WIRE = 4  # times what a notebook may keep: what its cells may send in all, for outputs that are replaced
_SLACK = 512 << 10  # what frames cost beside the output in them


class Allowance:
    """Time for a cell, a call or a notebook: `seconds` of CPU time of all processes of its kernel together.

    On the clock it is never over before, so that nobody loses by it, and always after `PATIENCE` times as
    long, so that what only sleeps ends too. The time that the grader's model takes does not count: however
    busy the grader is, no submission pays for it. `used` is the CPU time at the start, None to look for it.
    """

    def __init__(self, kernel: Kernel, seconds: float, used: float | None = None) -> None:
        self._kernel, self.seconds, self._used = kernel, seconds, used
        self._begun = time.monotonic() - kernel.model_seconds()

    def left(self) -> float:
        """Seconds until it can be over; 0 when it is."""
        passed = time.monotonic() - self._kernel.model_seconds() - self._begun
        if passed < (quick := min(_QUICK, self.seconds / 4)):
            return quick - passed
        if self._used is None:
            self._used = self._kernel.cpu_seconds()
        if passed < self.seconds:
            return self.seconds - passed
        used = self._kernel.cpu_seconds() - self._used
        return max(0.0, min(self.seconds - used, PATIENCE * self.seconds - passed))


@dataclass(frozen=True)
class Lost(Exception):
    """The kernel can no longer be used, and why."""

    ending: Ending


@dataclass
class Stopped:
    """A cell that is not run again: it ended like this, and showed this until then."""

    ending: Ending
    sentence: str
    outputs: CellOutputs


@dataclass
class RunState:
    """A submission's outputs, answers and problems so far, over all attempts."""

    job: Job
    started: float = field(default_factory=time.monotonic)
    lethal_cells: dict[int, Stopped] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)
    outputs: dict[int, CellOutputs] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    failures: dict[int, CellFailure] = field(default_factory=dict)
    problems: list[tuple[Ending, str]] = field(default_factory=list)
    answered: int = 0  # bytes of answers so far
    sent: int = 0  # bytes that cells have sent, also what was replaced
    last_cell: int | None = None  # the notebook's time was up here; later cells are not run
    model_seconds: float = 0.0  # that earlier attempts waited for the grader's model

    def left(self, model_seconds: float = 0.0) -> float:
        """Seconds that all attempts together still have; 0 when they are over.

        `model_seconds` is what the running attempt has waited for the grader's model.
        """
        seconds = self.job.limits.notebook_seconds + sum(call.seconds for call in self.job.calls)
        passed = time.monotonic() - self.started - self.model_seconds - model_seconds
        return max(0.0, PATIENCE * seconds - passed)

    def note(self, ending: Ending, sentence: str) -> None:
        """Remember one thing that went wrong, once."""
        if (ending, sentence) not in self.problems:
            self.problems.append((ending, sentence))

    def given_up(self, number: int) -> Answer | None:
        """The answer of the last call, if the last few of this target did not come back."""
        before = range(number - MOST_LOST, number)
        calls = self.job.calls
        answers = [
            self.answers.get(one) for one in before if one >= 0 and calls[one].target == calls[number].target
        ]
        is_lost = [answer is not None and answer.kind in ("endless", "dead") for answer in answers]
        return answers[-1] if len(answers) == MOST_LOST and all(is_lost) else None


class Attempt:
    """One kernel's run of the notebook and the calls; raises `Lost` after noting what was lethal."""

    def __init__(self, state: RunState, kernel: Kernel, cells: list[dict[str, Any]]) -> None:
        self._state, self._kernel, self._cells = state, kernel, cells
        self._limits = state.job.limits
        self._notebook = Allowance(kernel, self._limits.notebook_seconds, used=0.0)
        self.current: tuple[str, int, CellOutputs] | None = None

    def run(self) -> None:
        """All cells, then all calls that have no answer yet."""
        self._await_ready()
        self._state.failures.clear()
        for index, cell in enumerate(self._cells):
            if cell.get("cell_type") == "code" and source_of(cell).strip():
                self._run_cell(index, source_of(cell), str(cell.get("id", "")))
                if self._state.job.stop_at_error and index in self._state.failures and not may_raise(cell):
                    break
        for number, call in enumerate(self._state.job.calls):
            if number not in self._state.answers:
                ask = self._talk if call.dialogue else self._ask
                self._state.answers[number] = self._state.given_up(number) or ask(number, call)

    def _await_ready(self) -> None:
        try:
            self._kernel.channel.receive(time.monotonic() + START_SECONDS)
        except (ChannelClosed, ChannelBroken, TimeoutError) as error:
            raise Lost("not_started") from error

    def _run_cell(self, index: int, source: str, identity: str) -> None:
        state = self._state
        if index in state.lethal_cells:
            self._leave_out(index, identity)
            return
        if state.last_cell is not None and index >= state.last_cell:
            return
        outputs = state.outputs[index] = CellOutputs(self._kept_left(index))
        self.current = ("cell", index, outputs)
        allowances = Allowance(self._kernel, self._limits.cell_seconds), self._notebook
        most, before = min(self._limits.output + _SLACK, self._sent_left()), self._kernel.channel.received
        may_show = outputs.most > 0 and most > self._limits.output
        output = self._limits.output if may_show else 0
        request = {"do": "cell", "source": source, "cell": identity, "output": output}
        try:
            reply, in_time = self._exchange(request, "done", allowances, outputs, most)
        finally:
            state.sent += self._kernel.channel.received - before
        self.current = None
        if outputs.cut or not may_show:
            state.note("flooded", sentences.too_much_to_keep(self._limits))
        state.counts[index] = 1 + max(state.counts.values(), default=0)
        self._judge_cell(index, identity, reply, outputs, in_time)

    def _kept_left(self, index: int) -> int:
        """Bytes of outputs that the notebook may still keep, from this cell on; 0 once some were cut."""
        before = [one for place, one in self._state.outputs.items() if place < index]
        is_full = any(one.cut for one in before)
        return 0 if is_full else self._limits.outputs - sum(one.size for one in before)

    def _sent_left(self) -> int:
        """Bytes that its cells may still send, in this attempt and all further ones."""
        return max(0, _WIRE * self._limits.outputs - self._state.sent)

    def _judge_cell(
        self, index: int, identity: str, reply: dict[str, Any], outputs: CellOutputs, in_time: bool
    ) -> None:
        """Note how a cell that gave the kernel back went."""
        error = reply.get("error") if isinstance(reply.get("error"), dict) else None
        name = plain(error.get("error"), 100) if error else ""
        message = plain(error.get("message")) if error else ""
        ending: Ending | None = None
        if not in_time:
            ending = "timed_out"
        elif reply.get("flooded") is True:
            ending = "flooded"
        elif name == "MemoryError":
            self._blame_who_filled()
            ending = "out_of_memory"
        if ending is not None:
            message = self._sentence(index, ending)
            self._state.note(ending, message)
            name = name or "Stopped"
        if not in_time and not self._left(self._notebook):
            self._state.last_cell = index
        if error or ending:
            self._state.failures[index] = CellFailure(index, identity, name, message)

    def _blame_who_filled(self) -> None:
        """After a lack of memory: take the cell for it that met one before, and may still hold all there is.

        Raises:
            Lost: there is such a cell, which the next attempt leaves out.
        """
        if full := self._full():
            self.current = full
            raise Lost("out_of_memory")

    def _full(self) -> tuple[str, int, CellOutputs] | None:
        """The first cell of this attempt that ended with a `MemoryError`."""
        failures = sorted(self._state.failures.items())
        found = (index for index, failure in failures if failure.error == "MemoryError")
        index = next(found, None)
        return None if index is None else ("cell", index, self._state.outputs[index])

    def _sentence(self, index: int, ending: Ending, code: int | None = None) -> str:
        if ending == "timed_out" and not self._left(self._notebook):
            return sentences.notebook_too_slow(index + 1, self._limits)
        return sentences.about_cell(index + 1, ending, self._limits, code=code)

    def _leave_out(self, index: int, identity: str) -> None:
        stopped = self._state.lethal_cells[index]
        self._state.outputs[index] = stopped.outputs
        self._state.failures[index] = CellFailure(index, identity, "Stopped", stopped.sentence)

    def _talk(self, number: int, call: StudentCall) -> Answer:
        """A dialogue: its calls, one after the other, within the time of all."""
        assert call.dialogue is not None
        talk, allowance = call.dialogue.talk(), Allowance(self._kernel, call.seconds)
        try:
            arguments = next(talk)
            while True:
                answer = self._ask(number, replace(call, arguments=arguments), allowance)
                arguments = talk.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _ask(self, number: int, call: StudentCall, allowance: Allowance | None = None) -> Answer:
        outputs = CellOutputs(_MOST_OUTPUT)
        self.current = ("call", number, outputs)
        try:
            arguments = None if call.arguments is None else encode(list(call.arguments))
            named = encode(dict(call.named))
        except NotPlainData as error:
            raise ValueError(f"The arguments of {call.target} are no plain data: {error}") from error
        request = {"do": "call", "target": call.target, "arguments": arguments, "named": named}
        request["answer"] = self._limits.answer
        begun = time.monotonic()
        allowances = (allowance or Allowance(self._kernel, call.seconds),)
        reply, in_time = self._exchange(request, "answer", allowances, outputs, _MOST_OUTPUT)
        self.current = None
        if reply.get("kind") == "raised" and reply.get("error") == "MemoryError":
            self._blame_who_filled()
        taken = time.monotonic() - begun
        if not in_time:
            return Answer("endless", printed=printed(outputs), seconds=taken)
        return self._answer(reply, printed(outputs), taken, is_step=call.dialogue is not None)

    def _answer(self, reply: dict[str, Any], printed: str, taken: float, *, is_step: bool) -> Answer:
        """An untrusted reply as an answer, within the budgets; decoded here if somebody waits for it."""
        answer = _answer(reply, printed, taken)
        if not isinstance(answer.value, Encoded):
            return answer
        self._state.answered += len(answer.value.json)
        if self._state.answered > MOST_ANSWERED:
            message = "All answers together are larger than they may be."
            return replace(answer, kind="unreadable", value=None, message=message)
        return decoded(answer) if is_step or not self._state.job.encoded else answer

    def _left(self, *allowances: Allowance) -> float:
        """Seconds until one of them, or the time of all attempts, can be over; 0 when one is."""
        all_attempts = self._state.left(self._kernel.model_seconds())
        return min(all_attempts, *(allowance.left() for allowance in allowances))

    def _exchange(
        self,
        request: dict[str, Any],
        name: str,
        allowances: Sequence[Allowance],
        outputs: CellOutputs,
        most_output: int,
    ) -> tuple[dict[str, Any], bool]:
        """Send a request; its reply, and whether that came before its time was over.

        Raises:
            Lost: the kernel ended, sent nonsense or too much, or did not give in to an interrupt.
        """
        number = secrets.randbits(62)  # not to be guessed by a reply that was prepared before
        in_time, channel = True, self._kernel.channel
        before, until = channel.received, time.monotonic() + self._left(*allowances)
        try:
            channel.send({**request, "id": number}, max(1.0, allowances[0].seconds))
            while True:
                try:
                    frame = channel.receive(until)
                except TimeoutError:
                    if (left := self._left(*allowances)) > 0:
                        until = time.monotonic() + max(left, _SOON)
                        continue
                    if not in_time:
                        raise Lost("timed_out") from None
                    in_time, allowances = False, (Allowance(self._kernel, GRACE),)
                    until = time.monotonic() + GRACE
                    self._kernel.interrupt()
                    continue
                if frame.get(name) == number:
                    return frame, in_time
                outputs.take(frame)
                if channel.received - before > most_output:
                    raise Lost("flooded")
        except TimeoutError:  # it does not even read
            raise Lost("timed_out") from None
        except ChannelClosed:
            raise Lost("died") from None
        except ChannelBroken as error:
            raise Lost("flooded" if error.too_large else "died") from None

    def blame(self, lost: Lost, end: End) -> Ending:
        """Note what was running when the kernel was lost, so that the next attempt leaves it out."""
        if self.current is None:
            return "not_started"
        # With memory full to the last byte, a kernel dies of reading an order.
        full = self._full() if lost.ending in ("died", "out_of_memory") else None
        is_memory = full is not None or (end.out_of_memory and lost.ending == "died")
        ending: Ending = "out_of_memory" if is_memory else lost.ending
        kind, index, outputs = full or self.current
        if kind == "call":
            self._state.answers[index] = _lost_answer(ending, outputs, self._limits.memory)
            return ending
        code = end.code if lost.ending == "died" else None
        sentence = self._sentence(index, ending, code)
        if (ending == "timed_out" and not self._left(self._notebook)) or not self._sent_left():
            self._state.last_cell = index + 1
        outputs.fail("Stopped", sentence)
        self._state.note(ending, sentence)
        self._state.lethal_cells[index] = Stopped(ending, sentence, outputs)
        return ending


def _answer(reply: dict[str, Any], printed: str, taken: float) -> Answer:
    """An untrusted reply as an answer."""
    kind = reply.get("kind")
    common: dict[str, Any] = {"printed": printed, "seconds": taken}
    if kind == "raised":
        return Answer(
            "raised", error=plain(reply.get("error"), 100), message=plain(reply.get("message")), **common
        )
    if kind == "missing":
        return Answer("missing", **common)
    if kind == "returned":
        return Answer("returned", value=Encoded(json.dumps(reply.get("value"))), **common)
    message = plain(reply.get("message")) if kind == "unreadable" else ""
    return Answer("unreadable", message=message or "The answer could not be read.", **common)


def _lost_answer(ending: Ending, outputs: CellOutputs, memory: int) -> Answer:
    if ending == "timed_out":
        return Answer("endless", printed=printed(outputs))
    if ending == "flooded":
        return Answer("unreadable", message="It wrote too much output.", printed=printed(outputs))
    used = f"It used more than {sentences.size(memory)} of memory." if ending == "out_of_memory" else ""
    return Answer("dead", message=used or "It ended the kernel.", printed=printed(outputs))


def printed(outputs: CellOutputs) -> str:
    """The text that a call printed, cut short and with valid Unicode."""
    return outputs.printed[:_LONGEST_PRINTED]


def may_raise(cell: Mapping[str, Any]) -> bool:
    """True if the cell's tag says that it fails on purpose, as nbclient knows it."""
    return "raises-exception" in cell.get("metadata", {}).get("tags", ())


def source_of(cell: dict[str, Any]) -> str:
    """A cell's source; nbformat allows a list of lines."""
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
