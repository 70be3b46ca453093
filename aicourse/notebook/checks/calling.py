"""Run code we did not write, and come back with what happened: a value, an exception, or no end.

`attempt` is the only place where a student's function runs. It captures what is printed, turns every
exception but a user's own interrupt into data, and stops after a time limit.

The limit is an alarm signal in the main thread, where notebook cells run: it also ends a regular
expression that backtracks for ever (which holds the interpreter lock, so no second thread could), a sleep
and a network wait. Windows has no alarm signal; there a timer raises SIGINT, which ends loops and sleeps,
while an endless regular expression needs the kernel's stop button. Outside the main thread there is no
limit. Code that catches everything, forever, escapes any limit within one process; so be it: the notebook
is the student's own, and grading has a sandbox.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import re
import reprlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

OutcomeKind = Literal["returned", "raised", "endless", "skipped", "missing", "unreadable", "dead"]
REPEAT_ALARM_SECONDS = 1.0  # rings again, because a bare `except:` swallows the first ring
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
_ADDRESS = re.compile(r" (?:object )?at 0x[0-9A-Fa-f]+")


@dataclass(frozen=True)
class Outcome:
    """One call's result, wherever it ran: every executor makes these, and the judge reads nothing else.

    - returned: `value`
    - raised: `errors` are the names of the error's class and its bases, `message` is its text, `where` the
      line of the student's code
    - endless: it took longer than it may; skipped: it was not called, because a call before it was endless
    - missing, unreadable, dead: from a sandbox only; `message` says more
    """

    kind: OutcomeKind
    value: Any = None
    errors: tuple[str, ...] = ()
    message: str = ""
    where: str = ""
    printed: str = ""

    @property
    def error(self) -> str:
        """The last line Python would print: `KeyError: 'size'`."""
        name = self.errors[0] if self.errors else ""
        return shorten(f"{name}: {self.message}" if self.message else name, 300) if name else ""


class _TimeExpiredError(BaseException):
    """Not an Exception, so that a student's `except Exception` does not swallow it."""


def attempt(
    action: Callable[[], Any], *, seconds: float | None = None, namespace: dict[str, Any] | None = None
) -> Outcome:
    """Call `action`; `namespace` is the globals of the student's code, to find the line that failed.

    >>> attempt(lambda: 1 / 0, seconds=1).error
    'ZeroDivisionError: division by zero'
    """
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), time_limit(seconds):
            done = _call(action, namespace)
    except _TimeExpiredError:
        done = Outcome("endless")
    return replace(done, printed=printed.getvalue())


def _call(action: Callable[[], Any], namespace: dict[str, Any] | None) -> Outcome:
    try:
        value = action()
        if inspect.iscoroutine(value):
            value.close()  # nobody will await it; unclosed, it warns at some later moment
    except (_TimeExpiredError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too: exit() in an answer must not end the kernel
        return _raised(error, student_line(error, namespace))
    return Outcome("returned", value)


def call_trusted(action: Callable[[], Any], *, seconds: float | None = None) -> Outcome:
    """Call what an author wrote: no limit, and nothing captured, so that threads may do it side by side."""
    try:
        return Outcome("returned", action())
    except Exception as error:
        return _raised(error)


def _raised(error: BaseException, where: str = "") -> Outcome:
    names = tuple(kind.__name__ for kind in type(error).__mro__)
    return Outcome("raised", errors=names, message=_text_of(error), where=where)


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Interrupt the body after `seconds` (None: never)."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    number, start, stop = _alarm(seconds) if hasattr(signal, "setitimer") else _timer(seconds)
    previous = signal.signal(number, _expire)
    try:
        try:
            start()
            yield
        finally:
            stop()
    finally:
        stop()  # again: the alarm may have rung inside the first stop
        signal.signal(number, previous)


def _expire(number: int, frame: object) -> None:
    raise _TimeExpiredError


def _alarm(seconds: float) -> tuple[int, Callable[[], Any], Callable[[], Any]]:
    timer = signal.ITIMER_REAL
    return (
        signal.SIGALRM,
        lambda: signal.setitimer(timer, seconds, REPEAT_ALARM_SECONDS),
        lambda: signal.setitimer(timer, 0),
    )


def _timer(seconds: float) -> tuple[int, Callable[[], Any], Callable[[], Any]]:
    timer = threading.Timer(seconds, lambda: signal.raise_signal(signal.SIGINT))
    timer.daemon = True
    return signal.SIGINT, timer.start, timer.cancel


def student_line(error: BaseException, namespace: dict[str, Any] | None) -> str:
    """Function, line number and text of the innermost line of the student's own code."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            found = trace
        trace = trace.tb_next
    if found is None:
        return ""
    code = found.tb_frame.f_code
    text = linecache.getline(code.co_filename, found.tb_lineno).strip()
    return f"in {code.co_name}, line {found.tb_lineno}" + (f": `{shorten(text, 100)}`" if text else "")


class _Shortener(reprlib.Repr):
    def __init__(self, items: int, characters: int) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother, self.maxlong = 5, characters, 2 * characters, 60
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = items

    def repr_list(self, x: list[Any], level: int) -> str:
        """A long list by its beginning and its end."""
        if level <= 0 or len(x) <= self.maxlist:
            return super().repr_list(x, level)
        ends = self.maxlist // 2
        begins, ending = (
            ", ".join(self.repr1(one, level - 1) for one in part) for part in (x[:ends], x[-ends:])
        )
        return f"[{begins}, … {len(x) - 2 * ends} more …, {ending}]"

    def repr_instance(self, x: Any, level: int) -> str:
        """A record (a reply of a model's client, a scorer's context) without its fields that say nothing."""
        if isinstance(x, BaseModel):
            stated = [(name, value) for name, value in x if value is not None]
        elif is_dataclass(x) and not isinstance(x, type):
            named = [(field, getattr(x, field.name)) for field in fields(x) if field.repr]
            stated = [(field.name, value) for field, value in named if value is not field.default]
        else:
            return super().repr_instance(x, level)
        shown = (f"{name}={self.repr1(value, level - 1)}" for name, value in stated)
        return f"{type(x).__name__}({', '.join(shown) if level > 0 else '...'})"


_WHOLE = 240  # characters of a value that is shown whole
_SHORTENERS = (_Shortener(items=_WHOLE, characters=_WHOLE), _Shortener(items=8, characters=80))


def describe(value: Any) -> str:
    """`repr(value)` whole, or shortened where it is long; without memory addresses, and never raising.

    >>> describe(object()), describe("x" * 500).count("x") < 400
    ('<object>', True)
    """
    try:
        shape = getattr(value, "shape", None) if hasattr(type(value), "columns") else None
        if isinstance(shape, tuple) and len(shape) == 2:
            return f"{type(value).__name__} with {shape[0]} rows and {shape[1]} columns"
        whole, short = (shortener.repr(value) for shortener in _SHORTENERS)
        return shorten(whole if len(whole) <= _WHOLE else short, 400)
    except Exception:  # an integer of more digits than Python prints, say
        return f"<{type(value).__name__} that cannot be shown>"


def describe_error(error: BaseException) -> str:
    """The last line Python would print for `error`.

    >>> describe_error(KeyError("size"))
    "KeyError: 'size'"
    """
    return _raised(error).error


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:2_000]
    except Exception:
        return ""


def shorten(text: str, limit: int) -> str:
    """`text` on one line, without memory addresses, at most `limit` characters."""
    text = _ADDRESS.sub("", _LINE_BREAK.sub(" ", text.strip()))
    return text if len(text) <= limit else text[: limit - 1] + "…"
