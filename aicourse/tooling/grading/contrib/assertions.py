"""Tests written as assertions, turned into `Check`s that are compared outside the student's process.

    assert double(2) == 4            ->  Check(target="double", inputs=[2], reference=known((2, 4)), …)
    assert len(double([1])) == 2     ->  Check(target="double", inputs=[[1]], predicate=…)
    assert LIMIT == 30               ->  Check(target="LIMIT", reference=30, …)

Converted: assertions about one call with literal arguments, or one variable, otherwise made of builtins;
nose's `assert_equal` and relatives; `pytest.raises`, `assert_raises` and try/except; `isclose`, `approx`.
Names that were set to a literal before are put in. The rest (loops, mocks, plots) comes back as text, and so
does all that follows a `del`: it is said of a state that no single call meets.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

_BUILTINS = frozenset(vars(builtins))
_EQUAL = {"assert_equal", "assert_equals", "assertEqual"}
_TRUE, _FALSE = {"assert_true", "assertTrue"}, {"assert_false", "assertFalse"}
_RAISES = {"assert_raises", "assertRaises", "raises"}


@dataclass(frozen=True)
class Assertion:
    """One of them: `given` is the source of the arguments, None for a variable; one of the rest is set."""

    target: str
    given: str | None
    gives: str = ""
    predicate: str = ""
    raises: str = ""

    @property
    def mode(self) -> str:
        """Calls of one mode and target fit into one check."""
        value = self.gives if self.given is None else bool(self.gives)
        return f"{self.target}|{self.given is None}|{value}|{self.predicate}|{self.raises}"


@dataclass(frozen=True)
class Assertions:
    """The assertions that carry points together; `left` are the source texts that could not be converted."""

    calls: tuple[Assertion, ...]
    left: tuple[str, ...]


def convert(source: str) -> Assertions:
    """The assertions of one piece of test code."""
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        return Assertions((), (f"not Python ({error.msg}): {source.strip().splitlines()[0]}",))
    work = _Conversion()
    for statement in statements:
        work.take(statement)
    return Assertions(tuple(work.calls), tuple(work.helpers_in_use + work.left))


class _Conversion:
    """One piece of test code while it is converted."""

    def __init__(self) -> None:
        self.calls: list[Assertion] = []
        self.left: list[str] = []
        self._constants: dict[str, ast.expr] = {}
        self._helpers: dict[str, ast.FunctionDef] = {}
        self._made_here: set[str] = set()
        self._deleted = False

    @property
    def helpers_in_use(self) -> list[str]:
        """The functions of the test code, for whoever writes anew what is left."""
        return [ast.unparse(helper) for helper in self._helpers.values()] if self.left else []

    def take(self, statement: ast.stmt) -> None:
        """The next statement."""
        if isinstance(statement, (ast.Import, ast.ImportFrom)) or _is_text(statement):
            return
        if isinstance(statement, ast.FunctionDef):
            self._helpers[statement.name] = statement
            return
        if (known := _constant(statement)) is not None:
            self._constants[known[0]] = known[1]
            return
        self._deleted |= isinstance(statement, ast.Delete)
        inlined = ast.fix_missing_locations(_Inline(self._constants).visit(copy.deepcopy(statement)))
        found = self._throws(inlined) or _statement(inlined)
        if found is None or found.target in self._made_here | self._helpers.keys() or self._deleted:
            self._made_here |= _assigned(statement)
            self.left.append(ast.unparse(statement))
        else:
            self.calls.append(found)

    def _throws(self, statement: ast.stmt) -> Assertion | None:
        """`assert throws(lambda: double(None), TypeError)`, if the test code has a function that says so."""
        test = statement.test if isinstance(statement, ast.Assert) else None
        if isinstance(test, ast.Compare) and ast.unparse(test.comparators[0]) == "True":
            test = test.left
        if not isinstance(test, ast.Call) or len(test.args) != 2 or not isinstance(test.args[0], ast.Lambda):
            return None
        helper = self._helpers.get(_last_name(test.func))
        return _raised(_last_name(test.args[1]), test.args[0].body) if _is_throws(helper) else None


def _is_throws(helper: ast.FunctionDef | None) -> bool:
    """True if a function of two parameters calls the first and gives True when it raises the second."""
    if helper is None or len(helper.args.args) != 2:
        return False
    called, error = (parameter.arg for parameter in helper.args.args)
    tried = next((node for node in helper.body if isinstance(node, ast.Try)), None)
    parts = [ast.unparse(part) for part in (*tried.body, *tried.handlers)] if tried else []
    return parts == [f"{called}()", f"except {error}:\n    return True"]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _constant(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """`numbers = [1, 2]` as a name and its literal."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    return (
        (target.id, statement.value)
        if isinstance(target, ast.Name) and _is_literal(statement.value)
        else None
    )


def _assigned(statement: ast.stmt) -> set[str]:
    """Names that test code makes for itself: not the student's."""
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return {node.id for node in nodes if isinstance(node.ctx, ast.Store)}


class _Inline(ast.NodeTransformer):
    """Puts known literals in place of their names."""

    def __init__(self, constants: dict[str, ast.expr]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """One name."""
        return self.constants.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _statement(statement: ast.stmt) -> Assertion | None:
    if isinstance(statement, ast.Assert):
        return _assertion(statement.test)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _helper(statement.value)
    if isinstance(statement, ast.With) and len(statement.items) == 1 and len(statement.body) == 1:
        return _raising(statement.items[0].context_expr, statement.body[0])
    return _tried(statement) if isinstance(statement, ast.Try) else None


def _helper(call: ast.Call) -> Assertion | None:
    """`assert_equal(double(2), 4)` and its relatives."""
    name, arguments = _last_name(call.func), call.args
    if name in _EQUAL and len(arguments) >= 2:
        return _assertion(ast.Compare(arguments[0], [ast.Eq()], [arguments[1]]))
    if name in _TRUE | _FALSE and arguments:
        test = arguments[0] if name in _TRUE else ast.UnaryOp(ast.Not(), arguments[0])
        return _assertion(test)
    if name in _RAISES and len(arguments) >= 2:
        inner = ast.Call(arguments[1], list(arguments[2:]), call.keywords)
        return _raised(_last_name(arguments[0]), inner)
    return None


def _raising(context: ast.expr, body: ast.stmt) -> Assertion | None:
    """`with pytest.raises(ValueError): double(None)`."""
    if not isinstance(context, ast.Call) or _last_name(context.func) not in _RAISES or not context.args:
        return None
    return _raised(_last_name(context.args[0]), getattr(body, "value", None))


def _tried(statement: ast.Try) -> Assertion | None:
    """`try: double(None)`, `except ValueError: pass`, `else: raise …`: the form of nbgrader's example."""
    fails_otherwise = any(map(_fails, [*statement.orelse, *statement.body[1:]]))
    if not fails_otherwise or len(statement.handlers) != 1:
        return None
    caught = statement.handlers[0].type
    return (
        _raised(_last_name(caught), getattr(statement.body[0], "value", None)) if caught is not None else None
    )


def _fails(statement: ast.stmt) -> bool:
    """True for `raise …` and `assert False`."""
    is_false = isinstance(statement, ast.Assert) and ast.unparse(statement.test) in ("False", "0")
    return isinstance(statement, ast.Raise) or is_false


def _raised(error: str, call: ast.expr | None) -> Assertion | None:
    target = _target(call) if call is not None else None
    if target is None or target.given is None or not error:
        return None
    return Assertion(target.target, target.given, raises=error)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _target(node: ast.expr) -> Assertion | None:
    """The question that a sub-expression puts to the student: a call with literals, or a variable."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in _BUILTINS:
        values = [*node.args, *(word.value for word in node.keywords)]
        if all(_is_literal(value) for value in values) and all(word.arg for word in node.keywords):
            inside = ast.unparse(node)[len(node.func.id) :]
            single = len(node.args) == 1 and not node.keywords
            return Assertion(node.func.id, inside[1:-1] if single else f"arguments{inside}")
    if isinstance(node, ast.Name) and node.id not in _BUILTINS:
        return Assertion(node.id, None)
    return None


class _Close(ast.NodeTransformer):
    """`np.isclose(a, b)`, `math.isclose(a, b)` and `a == pytest.approx(b)` in builtins' words."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """One call."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "isclose" and len(node.args) == 2:
            return _nearly(*node.args)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """One comparison."""
        self.generic_visit(node)
        other = node.comparators[0]
        is_approx = isinstance(other, ast.Call) and _last_name(other.func) == "approx"
        if is_approx and isinstance(other, ast.Call) and other.args and isinstance(node.ops[0], ast.Eq):
            return _nearly(node.left, other.args[0])
        return node


def _nearly(value: ast.expr, expected: ast.expr) -> ast.expr:
    a, b = ast.unparse(value), ast.unparse(expected)
    return ast.parse(f"abs({a} - {b}) <= 1e-06 * max(1, abs({b}))", mode="eval").body


class _Cut(ast.NodeTransformer):
    """Replaces what is asked of the student by `value`; `found` lists what that was."""

    def __init__(self) -> None:
        self.found: list[Assertion] = []

    def visit(self, node: ast.AST) -> ast.AST:
        """One node."""
        target = _target(node) if isinstance(node, (ast.Call, ast.Name)) else None
        if target is None:
            return self.generic_visit(node)
        self.found.append(target)
        return ast.Name("value", ast.Load())


def _assertion(test: ast.expr) -> Assertion | None:
    cut = _Cut()
    rest = cut.visit(_Close().visit(test))
    if len(set(cut.found)) != 1 or _has_other_calls(rest):
        return None
    asked = cut.found[0]
    if isinstance(rest, ast.Compare) and len(rest.ops) == 1 and isinstance(rest.ops[0], (ast.Eq, ast.Is)):
        sides = [rest.left, rest.comparators[0]]
        literals = [side for side in sides if _is_literal(side)]
        is_value = any(isinstance(side, ast.Name) for side in sides)
        is_none = asked.given is None and literals and ast.unparse(literals[0]) == "None"
        if len(literals) == 1 and is_value and not is_none:
            return Assertion(asked.target, asked.given, gives=ast.unparse(literals[0]))
    predicate = ast.unparse(ast.fix_missing_locations(rest))
    return Assertion(asked.target, asked.given, predicate=f"lambda value, *_: bool({predicate})")


def _has_other_calls(node: ast.AST) -> bool:
    """True if it uses modules, which `checks.py` would have to import."""
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    return bool(names - _BUILTINS - {"value"})


def with_output(source: str, output: str) -> str:
    """otter's other form: code whose last expression must show an output, written as an assertion.

    Without an output a comparison is taken to be true, as its author will have seen.

    >>> with_output("size = 2\\ndouble(size)", "4"), with_output("double(2) == 4", "")
    ('size = 2\\nassert double(size) == 4', 'assert double(2) == 4')
    """
    try:
        tree = ast.parse(source)
        expected = ast.parse(output.strip() or "True", mode="eval").body
    except (SyntaxError, ValueError):
        return source
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or _is_text(last) or not _is_literal(expected):
        return source
    test, is_compared = last.value, isinstance(last.value, ast.Compare)
    if not is_compared and not output.strip():
        return source
    if not is_compared or ast.unparse(expected) != "True":
        test = ast.Compare(test, [ast.Eq()], [expected])
    tree.body[-1] = ast.Assert(test)
    return ast.unparse(ast.fix_missing_locations(tree))


def check_sources(question: str, group: Assertions, points: float, *, name: str, public: bool) -> list[str]:
    """Calls of `Check(…)` for `checks.py`; `points` are shared evenly between them."""
    ordered = sorted(group.calls, key=lambda call: call.mode)
    bundles = [list(mine) for _, mine in groupby(ordered, key=lambda call: call.mode)]
    shares = shared(points, len(bundles))
    return [
        _check_source(question, bundle, share, f"{name} {number}" if len(bundles) > 1 else name, public)
        for number, (bundle, share) in enumerate(zip(bundles, shares, strict=True), start=1)
    ]


def shared(points: float, count: int) -> Iterator[float]:
    """`count` shares of points that add up to the last cent."""
    each = round(points / max(count, 1), 2)
    yield from [each] * (count - 1)
    if count:
        yield round(points - each * (count - 1), 2)


def _check_source(question: str, calls: Sequence[Assertion], points: float, name: str, public: bool) -> str:
    first = calls[0]
    fields = [f"question={question!r}", f"name={name!r}", f"target={first.target!r}", f"points={points:g}"]
    if first.given is not None:
        fields.append(f"inputs=[{', '.join(str(call.given) for call in calls)}]")
    if first.raises:
        fields.append(f"raises={first.raises!r}")
    elif first.predicate:
        fields.append(f"predicate={first.predicate}")
    elif first.given is None:
        fields.append(f"reference={first.gives}")
    else:
        fields.append(f"reference=known({', '.join(f'({call.given}, {call.gives})' for call in calls)})")
    # released checks are examples: calls with an expected value or error
    if public and first.given is not None and not first.predicate:
        fields.append("public=True")
    return "Check(\n" + "".join(f"        {field},\n" for field in fields) + "    )"
