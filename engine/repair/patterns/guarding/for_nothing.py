"""What a function gives where there is nothing to work on, as the code base itself says it.

Asked in the order of its weight: tests, a parameter for it, the documentation, other returns, the annotation, callers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from engine.repair.patterns.guarding import lasting
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.intent import called, docstring, is_test, own_nodes, places, sources
from engine.repair.patterns.source.syntax import last_name

Strength = Literal["told", "typed", "guessed"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value, as source, that a function gives where there is nothing to work on, and who says so."""

    code: str
    strength: Strength
    because: str


NUMBER = re.compile(
    r"(?i)price|count|score|size|rating|\bage\b|year|width|height|total|amount|qty|quantity|weight|views|number|num|rank|votes|"
    r"value|cost|points|hits|likes|duration|length|distance|balance|tax|discount|stock|rate|sum|priority|"
    r"order|position|offset|level|depth"
)
LEFT = ("continue", "return", "nothing")  # no values: the rest of a round, or of a function, is left out
_NATURAL = re.compile(
    r"(?:-?[01](?:\.0)?|100(?:\.0)?|None|False|True|''|\"\"|\[\]|\{\}|\(\)|set\(\)|"
    r"\(?(?:(?:0(?:\.0)?|None|\[\]|\{\}|''), ?)+"
    r"(?:0(?:\.0)?|None|\[\]|\{\}|'')?\)?|-?float\(['\"](?:nan|inf)['\"]\)|-?math\.(?:nan|inf)|-?np\.(?:nan|inf)"
    r"|Decimal\(['\"]?0(?:\.0+)?['\"]?\))\Z"
)
_ANNOTATED = {
    "float": "0.0",
    "int": "0",
    "str": '""',
    "bool": "False",
    "bytes": 'b""',
    "list": "[]",
    "List": "[]",
    "Sequence": "[]",
    "Iterable": "[]",
    "dict": "{}",
    "Dict": "{}",
    "Mapping": "{}",
    "set": "set()",
    "Set": "set()",
    "Decimal": "Decimal(0)",
}
_SPECIAL = {
    **dict.fromkeys(("__repr__", "__str__", "__format__"), '""'),
    **dict.fromkeys(("__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__contains__"), "False"),
    "__len__": "0",
    "__hash__": "0",
}
_DEFAULTS = ("default", "fallback", "default_value", "if_empty", "on_empty", "otherwise", "missing", "empty_value")
_IN_WORDS = re.compile(
    r"(?i)(?:^|[,;:.(]|\b(?:returns?|gives?|yields?|answers?|is|are|or|else|be|to be|counts? as))\s*(?:`+|\*+)?"
    r"(?P<value>None|nan|-?\d+(?:\.\d+)?|zero|inf(?:inity)?|"
    r"an empty (?:string|list|dict|dictionary|tuple|set)|False|'')"
    r"(?:`+|\*+)?,? (?:is returned )?(?:if|when|where|for|on|unless)\b|"
    r"(?:if|when|where|for) [^.;\n]{0,80}?(?:empty|zero|no |none|missing|nothing|without|not |unknown)[^.;\n]{0,60}?"
    r"(?:returns?|gives?|is|are|yields?|counts? as|->|:) (?:`+|\*+)?"
    r"(?P<later>None|nan|-?\d+(?:\.\d+)?|zero|inf(?:inity)?|"
    r"an empty (?:string|list|dict|dictionary|tuple|set)|False|'')(?![\w.]*\w)"
)
_WORDS = {
    "zero": "0",
    "nan": 'float("nan")',
    "inf": 'float("inf")',
    "infinity": 'float("inf")',
    "none": "None",
    "false": "False",
    "an empty string": '""',
    "an empty list": "[]",
    "an empty dict": "{}",
    "an empty dictionary": "{}",
    "an empty tuple": "()",
    "an empty set": "set()",
}


def given_for_nothing(case: Case, module: Module, function: cst.FunctionDef, guess: str) -> Value:
    """What `function` gives where there is nothing to work on: by its tests, arguments, words, returns and types."""
    name = function.name.value
    expected = expected_by_tests(case, name)
    if expected is not None:
        return Value(_matching_zero(expected, guess), "told", f"{expected} is what a caller expects of {name}")
    for parameter in (*function.params.params, *function.params.kwonly_params):
        if parameter.name.value in _DEFAULTS:
            word = parameter.name.value
            given = [*_returned(function), *(one.value for one in own_nodes(function.body, cst.Assign))]
            last = re.compile(rf"{word} or (?:'[^']*'|\"[^\"]*\"|-?[\d.]+|\[\]|\{{\}})")
            with_last = [one for one in map(module.code, given) if last.fullmatch(one)]
            if with_last:  # what there is where no default was given, either
                return Value(with_last[0], "told", f"it is what {name} returns elsewhere for nothing")
            return Value(word, "told", f"{word} is the argument for it")
    words = _IN_WORDS.search(docstring(function) or "")
    if words:
        said = words["value"] or words["later"]
        code = _WORDS.get(said.lower(), said)
        # Another number may be any number of the text: it is proposed, and never taken for certain.
        is_nothing = not code.lstrip("-").replace(".", "").isdigit() or float(code) in (0.0, 1.0)
        return Value(
            _matching_zero(code, guess), "told" if is_nothing else "guessed", f"{name}'s documentation says so"
        )
    others = {module.code(one) for one in _other_returns(function)}
    if len(others) == 1:
        return Value(others.pop(), "told", f"it is what {name} returns elsewhere for nothing")
    if others:
        first = next((one for one in ("None", guess) if one in others), None)
        if first:
            return Value(first, "told", f"it is what {name} returns elsewhere for nothing")
    if function.returns is not None:
        typed = by_annotation(module.code(function.returns.annotation))
        if typed is not None:
            return Value(_matching_zero(typed, guess), "typed", f"{name} is annotated so")
    if _compared_with_none(case, name):
        return Value("None", "told", f"callers of {name} compare its result with None")
    special = _SPECIAL.get(name)
    if special is not None:
        return Value(special, "typed", f"{name} has to give such a value")
    form = _form_of(function) if guess == "None" else None
    if form is not None:
        return Value(form, "typed", f"{name} returns nothing of another kind")
    count = _parts(function)
    taken = _taken_by_callers(case, name, count) if guess == "None" else None
    if taken is not None:
        return Value(taken, "guessed", f"what calls {name} goes on with it")
    return Value(guess, "guessed", "it is the usual value")


def so_far(module: Module, function: cst.FunctionDef, line: cst.SimpleStatementLine) -> Value | None:
    """What a function has put together so far, where it returns that alone, by one name that is bound before."""
    returned = {module.code(one.value) for one in own_nodes(function.body, cst.Return) if one.value is not None}
    name = returned.pop() if len(returned) == 1 else ""
    body, at = list(function.body.body), next(
        (one for one in (line, *module.ancestors(line)) if module.parent(one) is function.body), None
    )  # fmt: skip
    if not name.isidentifier() or at not in body or module.code(line).lstrip().startswith(f"{name} ="):
        return None
    for one in body[: body.index(at)]:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if isinstance(small, cst.Assign) and [module.code(each.target) for each in small.targets] == [name]:
            empty = module.code(small.value)
            if empty in ("[]", "{}", '""', "''", "0", "0.0", "set()", "list()", "dict()"):
                return Value(name, "typed", "it is what there is so far")
    return None


def _parts(function: cst.FunctionDef) -> int:
    """How many things a function returns at once, wherever it returns; 0 where it is not always so many."""
    found = [one.value for one in own_nodes(function.body, cst.Return)]
    counts = {len(one.elements) if isinstance(one, cst.Tuple) else 0 for one in found}
    return counts.pop() if len(counts) == 1 else 0


def _taken_by_callers(case: Case, name: str, count: int) -> str | None:
    """What stands for nothing in the line that called the function, where None would fail there; None elsewhere."""
    found = _failing_call(case, name, count)
    if found is None:
        return None
    return lasting.parts(*found, count) if count else lasting.fitting(*found)


def is_needed_by_callers(case: Case, function: cst.FunctionDef) -> bool:
    """Whether the line that called the function can do with nothing in place of what it gives."""
    found = _failing_call(case, function.name.value, 0)
    return found is not None and lasting.fitting(*found) is None


def _failing_call(case: Case, name: str, count: int) -> tuple[Module, cst.Call] | None:
    """The call of a function, in the line that called it, where None in its place would fail; None elsewhere."""
    around = places(case)
    at = next((index for index, one in enumerate(around) if one.frame == case.frame), len(around))
    for place in around[at + 1 :]:
        if is_test(place.path):
            return None
        try:
            module = Module(place.path, place.source, to_read=True)
        except NotEditable:
            return None
        line = module.line_of(place.frame.code, place.line) or place.line
        statement = module.statement(line)
        within = statement if isinstance(statement, cst.SimpleStatementLine) else None
        calls = [one for one in module.nodes(cst.Call, line, within) if last_name(one.func) == name]
        if not calls or (len(calls) != 1 and count):
            return None
        if not all(lasting.lasts(module, one, "None") for one in calls):
            return module, calls[0]
        if not isinstance(module.parent(calls[0]), cst.Return):
            return None
        name = place.frame.function.rpartition(".")[2]
    return None


def _form_of(function: cst.FunctionDef) -> str | None:
    """The empty value of the one kind that a function returns, by the form of what it returns; None for any other."""
    kinds = {_kind(function, one.value) for one in own_nodes(function.body, cst.Return) if one.value is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _kind(function: cst.FunctionDef, value: cst.BaseExpression) -> str | None:
    if isinstance(value, cst.List | cst.ListComp):
        return "[]"
    if isinstance(value, cst.Dict | cst.DictComp):
        return "{}"
    if isinstance(value, cst.Set | cst.SetComp):
        return "set()"
    if isinstance(value, cst.Call):
        name = cst.Module([]).code_for_node(value.func)
        return {"list": "[]", "sorted": "[]", "dict": "{}", "set": "set()"}.get(name)
    if isinstance(value, cst.Name):
        begun = [
            one.value
            for one in own_nodes(function.body, cst.Assign)
            if any(isinstance(each.target, cst.Name) and each.target.value == value.value for each in one.targets)
        ]
        kinds = {_kind(function, one) if not isinstance(one, cst.Name) else None for one in begun}
        return kinds.pop() if len(kinds) == 1 else None
    return None


def _matching_zero(code: str, guess: str) -> str:
    return guess if code in ("0", "0.0") and guess in ("0", "0.0") else code


def by_annotation(text: str) -> str | None:
    """The empty value of an annotated type; None where there is none."""
    text = text.strip("'\" ")
    if re.search(r"\bOptional\[|\bNone\b", text):
        return "None"
    outer = re.match(r"(?:\w+\.)*(\w+)(\[)?", text)
    if outer is None:
        return None
    if outer[1] in ("tuple", "Tuple") and outer[2] and text.endswith("]"):
        parts = [by_annotation(one) for one in _split(text[text.index("[") + 1 : -1])]
        return f"({', '.join(str(one) for one in parts)})" if all(parts) and len(parts) > 1 else None
    return _ANNOTATED.get(outer[1])


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _returned(function: cst.FunctionDef) -> list[cst.BaseExpression]:
    return [one.value for one in own_nodes(function.body, cst.Return) if one.value is not None]


def _other_returns(function: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    for one in own_nodes(function.body, cst.Return):
        value = one.value
        if value is not None and _NATURAL.match(cst.Module([]).code_for_node(value)):
            yield value


def expected_by_tests(case: Case, name: str) -> str | None:
    """What the failing test, else all tests that speak of nothing, expect of a function."""
    for place in places(case)[1:]:
        try:
            tree = ast.parse(place.source)
        except (SyntaxError, ValueError):
            continue
        said = {one for node in _around(tree, place.line) for one in _expectations(node, name, place.line)}
        said = {one for one in said if _NATURAL.match(one)}
        if len(said) == 1:
            return said.pop()
    for frame in reversed(case.records[0].frames if case.records else ()):  # a test that is not the project's
        try:
            told = ast.parse(frame.code.strip())
        except (SyntaxError, ValueError):
            continue
        said = {one for one in _expectations(told, name, None) if _NATURAL.match(one)}
        if len(said) == 1:
            return said.pop()
    found: set[str] = set()
    for path, tree in sources(case, name):
        if is_test(path):
            found |= {
                one
                for one in _expectations(tree, name, None)
                if _NATURAL.match(one) and one not in ("1", "1.0", "True")
            }
    return found.pop() if len(found) == 1 else None


def _around(tree: ast.Module, line: int) -> list[ast.AST]:
    holding = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return [holding[-1]] if holding else [tree]


def _expectations(tree: ast.AST, name: str, line: int | None) -> Iterator[str]:
    """Values that calls of `name` are compared with; those at `line` only, or of the name bound there."""

    def calls(node: ast.AST) -> bool:
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.run", "list", "dict") and node.args:
            node = node.args[0]
        return (
            isinstance(node, ast.Call)
            and name in called(ast.Expr(node))
            and (line is None or node.lineno <= line <= (node.end_lineno or 0))
        )

    bound = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and calls(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def speaks(node: ast.AST) -> bool:
        return calls(node) or (isinstance(node, ast.Name) and node.id in bound)

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.Is):
            right = node.comparators[0]
            if speaks(node.left):
                if isinstance(right, ast.Call) and ast.unparse(right.func).endswith("approx") and right.args:
                    right = right.args[0]
                yield ast.unparse(right)
            elif speaks(right):
                yield ast.unparse(node.left)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("assertEqual", "assertAlmostEqual", "assertIs") and len(node.args) > 1:
                if speaks(node.args[0]):
                    yield ast.unparse(node.args[1])
            elif node.func.attr == "assertIsNone" and node.args and speaks(node.args[0]):
                yield "None"
            elif node.func.attr == "isnan" and node.args and speaks(node.args[0]):
                yield "float('nan')"


def _compared_with_none(case: Case, name: str) -> bool:
    for _path, tree in sources(case, name):
        for node in ast.walk(tree):
            if (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot)) and (
                ast.unparse(node.comparators[0]) == "None" and name in called(ast.Expr(node.left))
            ):
                return True
    return False
