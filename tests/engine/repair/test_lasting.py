"""What a check says of a use, and which stand-in for nothing lasts, told from the text of a small function."""

from __future__ import annotations

import libcst as cst
import pytest

from engine.repair.patterns.guarding.checks import is_guarded
from engine.repair.patterns.guarding.lasting import fitting, parts
from engine.repair.patterns.source.edit import Module, NotEditable


def body(*lines: str) -> Module:
    """`def f(x, y, known): ...`"""
    return Module("app.py", "\n".join(("def f(x, y, known):", *(f"    {one}" for one in lines), "")).encode())


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (("if x is None:", "    return", "x.use()"), True),
        (("if x is None or y:", "    return", "x.use()"), True),
        (("if x is None and y:", "    return", "x.use()"), False),
        (("if x:", "    x.use()"), True),
        (("if x or y:", "    x.use()"), False),
        (("if not x:", "    x.use()"), True),  # that the code has it the wrong way round is not guessed
        (("if x is None:", "    x.use()"), False),
        (("if x is None:", "    x = known.get(y)", "    x.use()"), False),
        (("if x is None:", "    x = known", "x.use()"), True),
        (("if not x:", "    return", "x = known.get(y)", "x.use()"), False),
        (("if len(x.parts) > 3:", "    x.parts = x.parts[:3]", "x.use()"), False),
        (("y and x and x.use()",), True),
        (("y or x is None or x.use()",), True),
    ],
)
def test_a_check_counts_by_the_branch_that_leads_to_the_use(lines: tuple[str, ...], wanted: bool) -> None:
    module = body(*lines)
    use = next(one for one in module.nodes(cst.Attribute) if one.attr.value == "use")
    assert is_guarded(module, use, "x") is wanted


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (("return x.use",), "None"),
        (("for one in x.use:", "    print(one)"), "()"),
        (("return x.use > 3",), "0"),
        (("return x.use > 'a'",), "''"),
        (("return x.use > (1, 0)",), "()"),
        (("return 'a' in x.use",), "()"),
        (("return x.use.strip()",), '""'),
        (("return x.use + b'!'",), 'b""'),
        (("return 'a: ' + x.use",), "''"),
        (("return y / x.use",), None),
        (("one, two = x.use",), None),
        (("found = x.use", "return found * 2"), "0"),
        (("found = x.use", "if found:", "    return found.name", "return found"), "None"),
        (("for one in [x.use, 'b']:", "    print(one.lower())"), "''"),
        (("return sum(x.use)",), "()"),
        (("return int(x.use)",), "0"),
    ],
)
def test_what_stands_for_nothing_lasts(lines: tuple[str, ...], wanted: str | None) -> None:
    module = body(*lines)
    use = next(one for one in module.nodes(cst.Attribute) if one.attr.value == "use")
    assert fitting(module, use) == wanted


def test_what_is_taken_apart_is_told_by_its_names() -> None:
    module = body("first, rest = g(x)", "return first + 1, [one for one in rest]")
    assert parts(module, module.nodes(cst.Call)[0], 2) == "(0, ())"
    assert parts(module, module.nodes(cst.Call)[0], 3) is None


def test_an_edit_that_parses_and_does_not_compile_is_none() -> None:
    module = body("return [one for one in x]")
    walked = module.nodes(cst.CompFor)[0].iter
    module.replace(walked, cst.parse_expression("(y if (y := x) else ())"))
    with pytest.raises(NotEditable, match="would not compile"):
        module.edit()
