"""Rules about what code cells say: names from exercise cells, and settings that models refuse.

Students overwrite an exercise's cell, so a later cell that needs something from it (an import, a helper)
breaks with the first other right answer. Allowed is the answer itself, in the check beside it. Names are
compared cell by cell, without regard to scopes; running the lesson with other answers finds the rest.

Settings: a hosted reasoning model answers `max_tokens`, `temperature`, `seed`, `top_p` and `logprobs` with an
error. Anthropic's own client demands `max_tokens`; a cell tagged `sampling` is about such settings, and says
which models refuse them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aicourse.notebook_json import Cell
from aicourse.tooling.course.exercises import check_calls
from aicourse.tooling.course.rules import Breach, LintRule, Subject

SAMPLING = "sampling"
REFUSED = {"max_tokens", "temperature", "top_p", "logprobs", "top_logprobs"}
_ASKS = {"create", "parse", "stream"}


def parsed(cell: Cell) -> ast.Module:
    """A cell's code without its magics; nothing when it is not Python."""
    lines = ["" if line.startswith(("%", "!")) else line for line in cell.source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return ast.Module([], [])


def _bound(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                names.add(name)
            case ast.alias(name=module, asname=name):
                names.add(name or module.partition(".")[0])
    return names


def _needed(cell: Cell, tree: ast.AST) -> set[str]:
    """The names that a cell takes from cells before it, but for the answer that a check judges."""
    loaded = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    judged = {call.answer for call in check_calls(cell.source)} if "check" in cell.tags else set()
    return loaded - _bound(tree) - judged


def _hidden_import(subject: Subject) -> Iterator[Breach]:
    known: set[str] = set()
    hidden: dict[str, Cell] = {}
    for cell in subject.notebook.code_cells:
        tree = parsed(cell)
        for name in sorted(_needed(cell, tree) & hidden.keys() - known):
            yield Breach(
                cell,
                f"`{name}` comes from the exercise in {hidden[name].place}, which students overwrite.",
                "Import or define it in a cell that is no exercise, before the first use.",
            )
        if "exercise" in cell.tags:
            hidden |= dict.fromkeys(_bound(tree), cell)
        else:
            known |= _bound(tree)


def _refused_parameter(subject: Subject) -> Iterator[Breach]:
    for cell in subject.notebook.code_cells:
        found = sorted(_refused(parsed(cell))) if SAMPLING not in cell.tags else ()
        if found:
            yield Breach(
                cell,
                f"Current hosted models refuse `{found[0]}`.",
                "Leave it out (max_completion_tokens limits the reply); where sampling is the topic, say "
                f"which models refuse it, and tag the cell {SAMPLING}.",
            )


def _refused(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, keywords=keywords):
                named = {keyword.arg for keyword in keywords if keyword.arg}
                called = ast.unparse(func)
                if named & {"model", "messages"} or called.rpartition(".")[2] in _ASKS:
                    yield from named & {"seed"}
                native = ".messages." in called or called.startswith("messages.")
                yield from named & (REFUSED - {"max_tokens"} if native else REFUSED)
            case ast.Dict(keys=keys):
                yield from REFUSED & {key.value for key in keys if isinstance(key, ast.Constant)}


RULES = (
    LintRule("hidden-import", "No cell needs a name that only an exercise's cell defines.", _hidden_import),
    LintRule("refused-parameter", "No setting that current hosted models refuse.", _refused_parameter),
)
