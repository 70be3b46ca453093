"""`start("01")`: the first cell of every lesson; it begins the session and shows header and badge.

The badge says where replies come from, in words and colour: `recorded`, `live: embedded`, `live: openai`,
with counts and, for calls that cost money, the cost. It changes in place (a Jupyter display update) when a
call goes live, and after each cell. In stored notebooks it is masked for comparison: in HTML it is one
`<span class="aicourse-badge">…</span>`, in text `[aicourse badge: …]`, both within a line.
"""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aicourse import paths
from aicourse.errors import LessonError
from aicourse.html import escape
from aicourse.jupyter import notebook_shell
from aicourse.llm import session
from aicourse.llm.calls import Call, Usage, dollars
from aicourse.llm.keys import misspelt_settings
from aicourse.notebook.hints import hint
from aicourse.notebook.live import can_be_pressed, load_display
from aicourse.notebook_json import parse_notebook

REDRAW_SECONDS = 0.5  # a thousand calls in a loop should not send a thousand updates
FEW_CALLS = 5  # live ones in a cell that need no progress bar
# JupyterLab breaks a long printed line in the middle of a word.
_WRAPPED = "<style>.jp-OutputArea-output pre { word-break: normal; overflow-wrap: anywhere }</style>"
_COLOURS = {"recorded": "#00556b", "embedded": "#9c3d00", "hosted": "#7a2a8a", "idle": "#555555"}


def start(number: str) -> None:
    """Begin a lesson: counters, its recordings, its header with the badge, `hint`; warns of bad settings.

    Raises:
        LessonError: there is no such lesson, or its notebook cannot be read.
    """
    header = read_header(number)
    current = session.begin(header.number, header.recordings)
    for sentence in misspelt_settings():
        warnings.warn(sentence, stacklevel=2)
    shell = notebook_shell()
    if can_be_pressed():
        load_display()({"text/html": _WRAPPED}, raw=True)
    if shell is None:
        print(repr(Heading(header, describe_calls(current.usage))))
        return
    shell.user_ns.setdefault("hint", hint)  # cards say `hint("01.1")`, and no lesson imports it
    badge = _LiveBadge(header, current, shell)
    current.listeners.append(badge.on_call)
    current.wait_listeners.append(badge.on_wait)
    shell.events.register("post_run_cell", badge.after_cell)


@dataclass(frozen=True)
class Header:
    """The header that a lesson has in its notebook's metadata; `path` is the notebook."""

    number: str
    path: Path
    title: str
    question: str = ""
    minutes: int | None = None
    builds_on: tuple[str, ...] = ()
    live_calls: int | None = None

    @property
    def recordings(self) -> Path:
        """The lesson's recorded replies."""
        return self.path.parent / "recordings" / f"{self.path.stem}.jsonl"

    @property
    def name(self) -> str:
        """The lesson in a sentence: `lesson 01, The first call`."""
        return f"lesson {self.number}, {self.title}"

    @property
    def facts(self) -> list[str]:
        """Things to know before beginning, one short phrase each."""
        calls = "1 model call" if self.live_calls == 1 else f"{self.live_calls} model calls"
        return [
            *([f"{self.minutes} minutes"] if self.minutes else []),
            *([f"builds on {', '.join(self.builds_on)}"] if self.builds_on else []),
            *([f"{calls}, recorded; what you change is asked live"] if self.live_calls else []),
        ]


def read_header(number: str) -> Header:
    """The header of lesson `number` ("01").

    Raises:
        LessonError: no such lesson, or its notebook cannot be read.
    """
    found = [path for path in _notebooks() if path.name.startswith(f"{number}-")]
    if not found:
        raise LessonError(
            f"There is no lesson {number!r}. List the lessons with: aicourse status", lesson=number
        )
    path = min(found, key=lambda path: len(path.name))  # JupyterLab's copies (…-Copy1.ipynb) are longer
    try:
        stated = parse_notebook(path.read_bytes()).metadata.get("aicourse", {})
    except (OSError, ValueError) as error:
        raise LessonError(
            f"{path.name} cannot be read as a notebook ({error}). "
            f"Restore it with: git checkout -- notebooks/{path.name}",
            path=path,
        ) from error
    return Header(
        number=number,
        path=path,
        title=str(stated.get("title", path.stem[3:].replace("-", " ").capitalize())),
        question=str(stated.get("question", "")),
        minutes=stated.get("minutes"),
        builds_on=tuple(stated.get("builds_on", ())),
        live_calls=stated.get("live_calls"),
    )


def next_lesson(number: str) -> Header | None:
    """The lesson after `number`; None after the last one, or when it cannot be read."""
    following = min((path.name[:2] for path in _notebooks() if path.name[:2] > number), default=None)
    try:
        return read_header(following) if following else None
    except LessonError:
        return None


def _notebooks() -> list[Path]:
    return list(paths.notebooks_dir().glob("[0-9][0-9]-*.ipynb"))


@dataclass(frozen=True)
class Badge:
    """The source of the replies so far: `kind` chooses the colour, `words` say it."""

    kind: str
    words: str


def describe_calls(usage: Usage) -> Badge:
    """The badge for the calls so far.

    >>> describe_calls(Usage(()))
    Badge(kind='idle', words='no model call yet')
    """
    recorded, live = usage.count("recorded"), [call for call in usage.calls if _is_live_reply(call)]
    if not live:
        words = f"recorded · {_count(recorded)}"
        return Badge("recorded", words) if recorded else Badge("idle", "no model call yet")
    providers = sorted({call.provider for call in live})
    kind = "embedded" if providers == ["embedded"] else "hosted"
    cost = f", {dollars(usage.spent)}" if kind == "hosted" else ""
    rest = f" · {recorded} recorded" if recorded else ""
    return Badge(kind, f"live: {', '.join(providers)} · {_count(len(live))}{cost}{rest}")


def _is_live_reply(call: Call) -> bool:
    """A provider that could not be reached, or refused, has not answered anything."""
    return call.source == "live" and call.status is not None and call.status < 400


def _count(calls: int) -> str:
    return "1 call" if calls == 1 else f"{calls} calls"


@dataclass(frozen=True, repr=False)
class Heading:
    """The lesson's header with the badge; draws itself."""

    header: Header
    badge: Badge

    def __repr__(self) -> str:
        facts = [self.header.question, *self.header.facts, f"[aicourse badge: {self.badge.words}]"]
        return f"Lesson {self.header.number} · {self.header.title} · " + " · ".join(
            fact for fact in facts if fact
        )

    def _repr_html_(self) -> str:
        badge = self.badge
        symbol = "○" if badge.kind in ("idle", "recorded") else "●"
        pill = (
            f"display: inline-block; background: {_COLOURS[badge.kind]}; color: #ffffff; font-weight: 600; "
            "border-radius: 1em; padding: 1px 12px; font-size: 0.92em"
        )
        box = (
            "border-left: 6px solid #0072b2; padding: 4px 14px; margin: 4px 0; line-height: 1.6; "
            "color: var(--jp-content-font-color1, inherit); font-size: var(--jp-content-font-size1, 14px)"
        )
        lines = [
            f"Lesson {escape(self.header.number)} · {escape(self.header.title)}",
            f'<strong style="font-size: 1.3em">{escape(self.header.question)}</strong>'
            if self.header.question
            else "",
            escape(" · ".join(self.header.facts)),
            f'<span class="aicourse-badge"><b style="{pill}">{symbol} {escape(badge.words)}</b></span>',
        ]
        return f'<div style="{box}">' + "<br>".join(line for line in lines if line) + "</div>"


@dataclass
class _LiveBadge:
    """Shows the heading, and shows it again when the calls have changed."""

    header: Header
    session: session.Session
    shell: Any
    _shown: Badge = field(init=False)
    _shown_at: float = field(init=False)
    _places: set[str] = field(init=False, default_factory=set)
    _live_calls: int = field(init=False, default=0)  # of the running cell, as is the bar
    _bar: Any = field(init=False, default=None)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._shown, self._shown_at = describe_calls(self.session.usage), time.monotonic()
        heading = Heading(self.header, self._shown)
        self._handle = load_display()(heading, display_id=True)

    def on_call(self, call: Call) -> None:
        """At once when replies come from somewhere new, else now and then."""
        place = call.provider if call.source == "live" else call.source
        if place not in self._places or time.monotonic() - self._shown_at > REDRAW_SECONDS:
            self._places.add(place)
            self._redraw(describe_calls(self.session.usage))
        if call.source == "live" and not paths.unattended():
            self._show_progress()

    def on_wait(self, words: str) -> None:
        """The first live reply takes longest, and nothing else on the screen says why."""
        usage = self.session.usage
        if not any(call.source == "live" for call in usage.calls):
            self._redraw(Badge("embedded", f"{words} …") if words else describe_calls(usage))

    def _show_progress(self) -> None:
        """Count a live call; a bar shows them when a cell makes more than a few."""
        with self._lock:
            self._live_calls += 1
            if self._live_calls == FEW_CALLS + 1:
                from tqdm.auto import tqdm  # it looks for a notebook, which takes a moment

                self._bar = tqdm(initial=FEW_CALLS, desc="live calls", unit=" calls", leave=False)
            if self._bar is not None:
                self._bar.update()

    def after_cell(self, result: object) -> None:
        """Bring the counts up to date; leave when another start() has begun a new session."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            self._bar, self._live_calls = None, 0
        if session.current() is not self.session:
            self.shell.events.unregister("post_run_cell", self.after_cell)
        elif (badge := describe_calls(self.session.usage)) != self._shown:
            self._redraw(badge)

    def _redraw(self, badge: Badge) -> None:
        with self._lock:  # calls may come from several threads
            self._shown, self._shown_at = badge, time.monotonic()
            self._handle.update(Heading(self.header, badge))
