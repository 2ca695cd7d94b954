"""A request that does not fit into memory is answered with an error, as the service answers other requests.

except torch.cuda.OutOfMemoryError:             what a method beside this one does: this one does the same
    return {"text": server_error, "code": 1}
yield {"text": output, "error": 0}              an answer that has room for an error: the same, with `"error": 1`
raise HTTPException(status_code=503, ...)       a route, in a file that answers so
"""

from __future__ import annotations

import builtins
import re
from typing import cast

import libcst as cst

from engine.repair.patterns.memory.answers_alike import is_answer_of_its_kind
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_body, with_helpers
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, text_of, walk

_FLAG = re.compile(r"(?i)(?:error(?:_?code)?|err(?:_?code)?|is_error|success|ok|status)\Z")
_TEXT = re.compile(r"(?i)(?:text|output|result|response|answer|message|msg|reply|detail|error_?(?:message|msg))\Z")
_IS_SUCCESS = re.compile(r"(?i)(?:success|ok)\Z")
_WORDS = {"ok": "error", "success": "error", "done": "error"}
_SAYS = "out of memory on the GPU: a shorter or smaller request needs less"


def answer_error(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The error as the service's own answer; None where nothing shows how it answers."""
    streamlit = next((name for name, whole in site.module.imported.items() if whole == "streamlit"), "")
    if streamlit and isinstance(statement, cst.SimpleStatementLine):
        said = f"{streamlit}.error({site.module.quote}{_SAYS}{site.module.quote})"
        return _tried(site, statement, [said, f"{streamlit}.stop()"], "Where memory runs out, who asked is told so.")
    if function is None or not isinstance(function.body, cst.IndentedBlock):
        return None
    return (
        _as_beside(site, statement, function)
        or _in_its_record(site, statement, function)
        or _by_framework(site, statement, function)
    )


# -- as a function beside it ------


def _as_beside(site: Site, statement: cst.CSTNode, function: cst.FunctionDef) -> Proposal | None:
    """The handler that another function of the same class, or of the same file, answers with."""
    module = site.module
    own = module.nearest(function, cst.ClassDef)
    for handler in module.nodes(cst.ExceptHandler):
        beside = module.function(handler)
        if beside is None or beside is function or module.nearest(beside, cst.ClassDef) is not own:
            continue
        if handler.type is None or "OutOfMemoryError" not in module.code(handler.type):
            continue
        if intent.is_generator(beside) != intent.is_generator(function) or not _answers(handler):
            continue
        if not is_answer_of_its_kind(module, handler, function):
            continue
        if not _is_at_home(module, handler, beside, function):
            continue
        block = cast(cst.IndentedBlock, function.body)
        body = list(block.body)
        inside = {statement, *module.ancestors(statement)}
        at = next(index for index, one in enumerate(body) if one in inside)
        first = next((n for n, one in enumerate(body[:at]) if re.search(r"\.(?:to|cuda)\(", module.code(one))), at)
        made = tried_body(module, body[first:], _text(site, handler))
        lead = [one for one in getattr(body[first], "leading_lines", ()) if one.comment is None]
        module.replace(block, block.with_changes(body=[*body[:first], made.with_changes(leading_lines=lead)]))
        why = f"Where memory runs out, the request is answered as `{beside.name.value}` beside it does."
        return finished(site, "answer-error", why)
    return None


def _text(site: Site, handler: cst.ExceptHandler) -> str:
    """The handler's source; it knows the error by its words too, where the error has no type of its own."""
    module = site.module
    body = module.code(handler.body.with_changes(footer=[])).strip("\n")
    lines = body.splitlines()
    deep = min((len(one) - len(one.lstrip()) for one in lines[1:] if one.strip()), default=0)
    rows = [one[deep:] if number and one.strip() else one.strip() for number, one in enumerate(lines)]
    steps = "".join(f"    {one}\n" for one in rows)
    if site.is_typed:
        name = f" as {module.code(handler.name.name)}" if handler.name is not None else ""
        return f"except {module.code(cast(cst.BaseExpression, handler.type))}{name}:\n{steps}"
    bound = module.code(handler.name.name) if handler.name is not None else "error"
    with_helpers(site, IS_OUT_OF_MEMORY)
    return f"except Exception as {bound}:\n    if not _is_out_of_memory({bound}):\n        raise\n{steps}"


def _answers(handler: cst.ExceptHandler) -> bool:
    last = handler.body.body[-1] if handler.body.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
    if isinstance(small, cst.Return):
        return small.value is not None
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.Yield)


def _is_at_home(module: Module, handler: cst.ExceptHandler, beside: cst.FunctionDef, function: cst.FunctionDef) -> bool:
    """Whether all that the handler names is there in the other function, too."""
    bound = {
        one.value
        for node in walk(handler)
        if isinstance(node, cst.AssignTarget)
        for one in walk(node)
        if isinstance(one, cst.Name)
    }
    if handler.name is not None:
        bound |= {module.code(handler.name.name)}
    bound |= {one.name.value for one in function.params.params} & {one.name.value for one in beside.params.params}
    top = {
        one.value
        for line in module.tree.body
        if isinstance(line, cst.SimpleStatementLine)
        for node in walk(line)
        if isinstance(node, cst.AssignTarget)
        for one in walk(node)
        if isinstance(one, cst.Name)
    }
    top |= {one.name.value for one in module.tree.body if isinstance(one, cst.FunctionDef | cst.ClassDef)}
    used = {
        one.value
        for one in walk(handler.body)
        if isinstance(one, cst.Name)
        and not (isinstance(around := module.parent(one), cst.Attribute) and around.attr is one)
        and not (isinstance(around, cst.Arg) and around.keyword is one)
    }
    return all(one in bound or one in top or one in module.imported or hasattr(builtins, one) for one in used)


# -- an answer with room for an error ------


def _in_its_record(site: Site, statement: cst.CSTNode, function: cst.FunctionDef) -> Proposal | None:
    """`{"text": output, "error": 0}` as it is sent, with the error in it."""
    module = site.module
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(
        module.parent(statement), cst.IndentedBlock
    ):
        return None
    end = module.position(statement).end.line
    for sent in module.nodes(cst.SimpleStatementLine, within=function.body):
        small = sent.body[0]
        value = small.value if isinstance(small, cst.Return) else None
        if isinstance(small, cst.Expr) and isinstance(small.value, cst.Yield):
            value = small.value
        if value is None or module.position(sent).start.line <= end or module.function(sent) is not function:
            continue
        record = _record_in(module, function, value, module.position(sent).start.line)
        filled = _with_error(module, record, function, statement) if record is not None else None
        if record is None or filled is None:
            continue
        name = _bound_name(module, record)
        if name and re.search(rf"(?<![\w.]){name}(?:\[|\.)", module.code(function.body)):
            continue  # more is put into it
        lines = [f"{name} = {filled}", module.code(sent.with_changes(leading_lines=())).strip()] if name else []
        if not lines:
            lines = [module.code(sent.with_changes(leading_lines=())).strip().replace(module.code(record), filled)]
        if isinstance(small, cst.Expr):
            lines.append("return")
        return _tried(site, statement, lines, "Where memory runs out, the request is answered with an error.")
    return None


def _record_in(module: Module, function: cst.FunctionDef, value: cst.CSTNode, line: int) -> cst.Dict | None:
    for one in walk(value):
        if isinstance(one, cst.Dict):
            return one
        if isinstance(one, cst.Name):
            bound = [
                each.value
                for each in module.nodes(cst.Assign, within=function.body)
                if module.position(each).start.line < line and module.code(each.targets[0].target) == one.value
            ]
            if bound and isinstance(bound[-1], cst.Dict):
                return bound[-1]
    return None


def _bound_name(module: Module, record: cst.Dict) -> str:
    around = module.parent(record)
    target = around.targets[0].target if isinstance(around, cst.Assign) else None
    return target.value if isinstance(target, cst.Name) else ""


def _with_error(
    module: Module, record: cst.Dict, function: cst.FunctionDef, statement: cst.SimpleStatementLine
) -> str | None:
    """The record's source with its flags turned and its text the reason; None where it says no success."""
    quote = module.quote
    known = {one.name.value for one in function.params.params} | _bound_before(module, function, statement)
    parts, turned, said = [], False, False
    for one in record.elements:
        key = text_of(one.key) if isinstance(one, cst.DictElement) else None
        if key is None:
            return None
        value = module.code(one.value)
        if _FLAG.match(key):
            value = _turned(key, one.value, value, quote)
            if not value:
                return None
            turned = True
        elif _TEXT.match(key):
            value, said = f"{quote}{_SAYS}{quote}", True
        elif not all(
            each.value in known or each.value in module.imported
            for each in walk(one.value)
            if isinstance(each, cst.Name)
        ):
            return None
        parts.append(f"{quote}{key}{quote}: {value}")
    return "{" + ", ".join(parts) + "}" if turned and said else None


def _turned(key: str, value: cst.BaseExpression, code: str, quote: str) -> str:
    """What a flag that says success says of a failure; '' where it does not say success, or is no plain flag."""
    word = (text_of(value) or "").lower()
    if word:
        return f"{quote}{_WORDS[word]}{quote}" if word in _WORDS and key.lower() == "status" else ""
    if key.lower() == "status":
        return ""
    good = {"True": "False", "1": "0"} if _IS_SUCCESS.match(key) else {"False": "True", "0": "1"}
    return good.get(code, "")


def _bound_before(module: Module, function: cst.FunctionDef, statement: cst.SimpleStatementLine) -> set[str]:
    """The names that are surely bound where a statement begins: in front of it, in no branch of their own."""
    around = set(module.ancestors(statement))
    line = module.position(statement).start.line
    return {
        one.value
        for bound in module.nodes(cst.SimpleStatementLine, within=function.body)
        if module.position(bound).start.line < line and module.parent(bound) in around
        for node in walk(bound)
        if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name | cst.Tuple)
        for one in walk(node.target)
        if isinstance(one, cst.Name)
    }


# -- by the framework ------


def _by_framework(site: Site, statement: cst.CSTNode, function: cst.FunctionDef) -> Proposal | None:
    """What a route of FastAPI or Flask answers, or a function that Gradio calls, where the file does so."""
    module = site.module
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(
        module.parent(statement), cst.IndentedBlock
    ):
        return None
    routes = any(re.search(r"\.(?:route|post|get|put)\(", module.code(one)) for one in function.decorators)
    quote = module.quote
    why = "Where memory runs out, who asked is told so."
    imported = {whole: name for name, whole in module.imported.items()}
    roots = {whole.partition(".")[0] for whole in imported}
    if routes and "fastapi" in roots:
        raises = module.name_of_import("fastapi", "HTTPException")
        return _tried(
            site, statement, [f"raise {raises}(status_code=503, detail={quote}{_SAYS}{quote}) from NAME"], why
        )
    if routes and "flask" in roots:
        gives = module.name_of_import("flask", "jsonify")
        return _tried(site, statement, [f"return {gives}({{{quote}error{quote}: {quote}{_SAYS}{quote}}}), 503"], why)
    gradio = imported.get("gradio")
    if gradio and _is_given_to_buttons(module, function.name.value):
        return _tried(site, statement, [f"raise {gradio}.Error({quote}{_SAYS}{quote}) from NAME"], why)
    return None


def _is_given_to_buttons(module: Module, name: str) -> bool:
    return any(
        last_name(one.func) in ("Interface", "ChatInterface", "click", "submit", "change", "upload")
        and any(module.code(arg.value) == name for arg in one.args)
        for one in module.nodes(cst.Call)
    )


def _tried(site: Site, statement: cst.SimpleStatementLine, lines: list[str], why: str) -> Proposal:
    module = site.module
    name = "error" if "error" not in module.names() else "out_of_memory"
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    steps = [one.replace("from NAME", f"from {name}") for one in (clear, *lines) if one]
    body = "".join(f"    {row}\n" for one in steps for row in one.splitlines())
    handler = f"except Exception as {name}:\n    if not _is_out_of_memory({name}):\n        raise\n{body}"
    kept = [one for one in statement.leading_lines if one.comment is None]
    module.replace(statement, tried_body(module, [statement], handler).with_changes(leading_lines=kept))
    return finished(site, "answer-error", why)
