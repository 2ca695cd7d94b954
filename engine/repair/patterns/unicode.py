"""Text read or written in whatever encoding the machine happens to have: the call gets `encoding="utf-8"`.

Evidence: a UnicodeDecodeError or UnicodeEncodeError at an `open`, `read_text`, `write_text`, `subprocess`, `csv`, at
stdin or stdout. Another codec is named only where bytes show it, `errors=` only where bytes are shown not to be UTF-8.
Calls that open bytes or name an encoding are left alone, as are errors that are caught on purpose.

    before    with open(path) as file:
    after     with open(path, encoding="utf-8") as file:
"""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line, with_keyword
from engine.repair.patterns.source.encodings import Choice, choice_for, codec_name, line_at, mode_name
from engine.repair.patterns.source.openings import (
    BY_THE_WAY,
    IN_BOTH,
    PARSERS,
    Kind,
    Opening,
    argument_file,
    keyword,
    log_file,
    named_encoding,
    opening,
)
from engine.repair.patterns.source.python_two import fitting, oldest, runs_on_both
from engine.repair.patterns.source.same_files import opened_elsewhere
from engine.repair.patterns.source.sites import Place, Trail, meant
from engine.repair.patterns.source.syntax import dotted, last_name, own_parts, text_of, walk
from engine.repair.record import ErrorRecord

TYPES = ("UnicodeDecodeError", "UnicodeEncodeError")
ON_PURPOSE = (*TYPES, "UnicodeError")
MESSAGE = re.compile(
    r"'(?P<codec>[\w.-]+)' codec can't (?P<do>decode|encode) "
    r"(?:bytes?|characters?)(?: 0x(?P<byte>[0-9a-f]{2})| '(?P<character>[^']+)')? in position (?P<at>\d+)(?:-\d+)?: "
    r"(?P<reason>[^\n]*)"
)
BINARY_READERS = (
    "pickle.load",
    "numpy.load",
    "torch.load",
    "joblib.load",
    "PIL.Image.open",
    "tomllib.load",
    "plistlib.load",
)
STDOUT_WRITERS = ("print", "pprint.pprint", "click.echo", "click.secho", "typer.echo", "typer.secho")


class Unicode:
    """Name the encoding where text is opened."""

    id = "unicode"
    title = "name the encoding where text is read or written"

    def recognises(self, record: ErrorRecord) -> bool:
        """A UnicodeDecodeError or UnicodeEncodeError with its usual message."""
        return record.type in TYPES and MESSAGE.search(record.message) is not None

    def propose(self, case: Case) -> Proposal | Declined:
        """`encoding=` at the call that opened the text, or the reason why not."""
        found = MESSAGE.search(case.records[0].message)
        if found is None:
            return self._declined("the message does not tell the codec")
        try:
            return self._propose(case, Trail(case), found)
        except NotEditable as error:
            return self._declined(error.reason)

    def _propose(self, case: Case, trail: Trail, found: re.Match[str]) -> Proposal | Declined:
        caught = trail.caught(ON_PURPOSE)
        if caught:
            return self._declined(f"it is caught on purpose by {caught}")
        here = trail.statement(trail.last)
        if here is None:
            return self._declined("the line that failed is no longer there")
        comment = meant(*here)
        if comment:
            return self._declined(f"the error is meant: {comment}")
        named = _codec_at_hand(here, found)
        if isinstance(named, str):
            return self._declined(named)
        if named is not None:
            return self._decoding(here[0], named, found)
        return self._opened(case, trail, found, here)

    def _opened(
        self, case: Case, trail: Trail, found: re.Match[str], here: tuple[Module, cst.CSTNode]
    ) -> Proposal | Declined:
        wanted = ("read", "both", "unknown") if found["do"] == "decode" else ("write", "both", "unknown")
        reason = "no call that opens text was found behind the line that failed"
        for place in trail.origins():
            name = _stream_of(place, found["do"])
            if name:
                return self._stream(here, found, name)
            if not isinstance(place.node, cst.Call):
                continue
            if place.module.qualified(place.node.func) in BINARY_READERS:
                return self._declined(f"{dotted(place.node.func)} reads bytes: the file must be opened as such")
            if found["do"] == "decode" and place.module.qualified(place.node.func) == "pandas.read_csv":
                return self._table(place, found)
            one = opening(place.module, place.node) or _parser_read(trail, place)
            if one is None:
                continue
            if one.is_binary:
                reason = f"line {line_at(place)} opens bytes, not text"
                continue
            if one.direction not in wanted:
                continue
            if found["do"] == "encode" and _only_opens(here, one):
                return self._declined("the file's name cannot be encoded, not its content")
            encoding = named_encoding(one)
            if encoding is not None:
                return self._declined(
                    f"line {line_at(place)} may name an encoding already"
                    if encoding == "*"
                    else f"line {line_at(place)} names its encoding already: {encoding}"
                )
            if text_of(keyword(one.call, "errors")) == "strict":
                return self._declined(f"line {line_at(place)} asks for the error: errors='strict'")
            choice = choice_for(case, trail, place, one, found)
            return self._declined(choice) if isinstance(choice, str) else self._named(case, place, one, choice)
        far = log_file(here) if found["do"] == "encode" else argument_file(here, found["do"])
        if far is not None:
            place = Place(here[0], far.call, trail.last)
            choice = choice_for(case, trail, place, far, found)
            return self._declined(choice) if isinstance(choice, str) else self._named(case, place, far, choice)
        return self._declined(reason)

    # -- edits ----------------------------------------------------------------------------------------------------

    def _named(self, case: Case, place: Place, one: Opening, choice: Choice) -> Proposal | Declined:
        if choice.errors and one.kind.name == "numpy":
            return self._declined(f"{dotted(one.call.func)} cannot be told what to do with bytes that are not UTF-8")
        module = place.module
        is_old = runs_on_both(case.project, module.text)
        if is_old and one.kind.name not in IN_BOTH:
            return self._declined(f"Python 2, which the file is for as well, knows no encoding of {one.kind.name}")
        calls = [one]
        if choice.encoding == "utf-8" and choice.errors is None:  # what writes must agree with what reads
            calls += [
                other
                for call in module.nodes(cst.Call)
                if call is not one.call
                and (other := opening(module, call)) is not None
                and other.mode is not None
                and not other.is_binary
                and other.kind.name not in BY_THE_WAY
                and (not is_old or other.kind.name in IN_BOTH)
                and named_encoding(other) is None
                and keyword(call, "errors") is None
                and not _around_or_in(module, call, one.call)
            ]
        as_given = False
        for each in calls:
            changed = _with_encoding(each, _encoding_value(module, each, choice.encoding))
            if choice.errors and each is one and keyword(one.call, "errors") is None:
                changed = with_keyword(changed, "errors", f"{module.quote}{choice.errors}{module.quote}")
            if is_old and module.qualified(each.call.func) == "open":
                opener = _open_of_both(module, each)
                changed = changed.with_changes(func=cst.parse_expression(opener))
                as_given = as_given or "codecs" in opener
            floor = oldest(case.project)
            if each.kind.name == "logging.basicConfig" and (floor is None or floor < (3, 9)):
                changed = _with_handler(module, each.call, changed)
            module.replace(each.call, changed)
        others = []
        if choice.encoding == "utf-8" and choice.errors is None and not is_old:
            for beside, same in opened_elsewhere(case, calls, module.path).values():
                for each in same:
                    beside.replace(each.call, _with_encoding(each, _encoding_value(beside, each, choice.encoding)))
                others.append(beside.edit())
        edit = module.edit()
        operator = "errors-keyword" if choice.errors else "encoding-keyword"
        why = f"{choice.why}; line ends are written as they are given" if as_given else choice.why
        why += "; so do the other files that open the same" if others else ""
        safety: Applicability = "review" if as_given or others else choice.applicability
        made = Proposal(self.id, operator, (edit, *others), first_changed_line(edit), safety, why)
        return fitting(case, made)

    def _decoding(self, module: Module, call: cst.Call, found: re.Match[str]) -> Proposal | Declined:
        if "unexpected end of data" in found["reason"]:
            return self._declined("the bytes were cut within a character: they must be joined before they are decoded")
        module.replace(call, with_keyword(call, "errors", f"{module.quote}replace{module.quote}"))
        edit = module.edit()
        why = f"byte 0x{found['byte'] or '??'} is not UTF-8: what cannot be decoded is marked, the rest is kept"
        return Proposal(self.id, "decode-errors", (edit,), first_changed_line(edit), "review", why)

    def _table(self, place: Place, found: re.Match[str]) -> Proposal | Declined:
        call = cast(cst.Call, place.node)
        if keyword(call, "encoding") is not None or keyword(call, "encoding_errors") is not None:
            return self._declined(f"line {line_at(place)} names its encoding already")
        if any(arg.star for arg in call.args):
            return self._declined(f"line {line_at(place)} may name an encoding already")
        quote = place.module.quote
        place.module.replace(call, with_keyword(call, "encoding_errors", f"{quote}replace{quote}"))
        edit = place.module.edit()
        why = f"byte 0x{found['byte'] or '??'} is not UTF-8: what cannot be decoded is marked, the rest is kept"
        return Proposal(self.id, "errors-keyword", (edit,), first_changed_line(edit), "review", why)

    def _stream(self, here: tuple[Module, cst.CSTNode], found: re.Match[str], name: str) -> Proposal | Declined:
        """stdout, stderr or stdin in UTF-8, from the start of the function that uses it."""
        module, statement = here
        text = module.tree.code
        if re.search(rf"sys\.{name}\s*=[^=]|{name}\.reconfigure\(|{name}\.(?:buffer|detach)|getwriter", text):
            return self._declined(f"the file sets sys.{name} up already")
        surrogate = "surrogates not allowed" in found["reason"]
        strange = name == "stdin" and codec_name(found["codec"]) == "utf-8"
        if codec_name(found["codec"]) == "utf-8" and not surrogate and not strange:
            return self._declined(f"sys.{name} is UTF-8 already and what it was given is not")
        target = _first_of(module, statement)
        if target is None:
            return self._declined("the function that fails stands on one line")
        stream = f"{module.name_of_import('sys')}.{name}"
        quote = module.quote
        extra = f", errors={quote}surrogateescape{quote}" if surrogate else ""
        extra = f", errors={quote}replace{quote}" if strange else extra
        module.insert_before(
            target,
            f"if hasattr({stream}, {quote}reconfigure{quote}):\n"
            f"    {stream}.reconfigure(encoding={quote}utf-8{quote}{extra})\n",
        )
        edit = module.edit()
        safe: Applicability = "safe" if codec_name(found["codec"]) == "ascii" else "review"
        why = f"sys.{name} has the machine's encoding ({found['codec']}), which lacks this character; UTF-8 has all"
        if strange:
            why = f"byte 0x{found['byte'] or '??'} is not UTF-8: what cannot be decoded is marked, the rest is kept"
        return Proposal(self.id, f"{name}-reconfigure", (edit,), first_changed_line(edit), safe, why)

    def _declined(self, reason: str) -> Declined:
        return Declined(self.id, reason)


def _codec_at_hand(here: tuple[Module, cst.CSTNode], found: re.Match[str]) -> str | cst.Call | None:
    """Why an `.encode` or `.decode` on the very line is to blame; the call itself where it can be mended."""
    for part in own_parts(here[1]):
        for node in walk(part):
            if not isinstance(node, cst.Call):
                continue
            name = last_name(node.func)
            plain = [arg for arg in node.args if arg.keyword is None]
            if name in ("str", "bytes") and isinstance(node.func, cst.Name) and len(plain) >= 2:
                return f"{name}() is given its codec"
            if name != found["do"] or not isinstance(node.func, cst.Attribute):
                continue
            given = plain[0].value if plain else keyword(node, "encoding")
            named = codec_name(text_of(given) or "") if given is not None else "utf-8"
            if given is not None and (text_of(given) is None or named == codec_name(found["codec"])):
                return f".{name}() names its codec"
            if keyword(node, "errors") is not None or len(plain) > 1:
                return f".{name}() says what is done with errors"
            if given is None and codec_name(found["codec"]) == "utf-8":
                return node if name == "decode" else ".encode() was given half a surrogate pair"
    return None


def _stream_of(place: Place, do: str) -> str:
    """The standard stream that a node uses: stdout or stderr (where encoding failed), stdin (where decoding did)."""
    node = place.node
    streams = {"sys.stdin": "stdin"} if do == "decode" else {"sys.stdout": "stdout", "sys.stderr": "stderr"}
    if isinstance(node, cst.Attribute | cst.Name):
        return streams.get(place.module.qualified(node), "")
    if not isinstance(node, cst.Call):
        return ""
    name = place.module.qualified(node.func)
    if do == "decode":
        return "stdin" if name == "input" else ""
    file = keyword(node, "file") or keyword(node, "stream")
    if name not in STDOUT_WRITERS or (name == "print" and place.module.defines("print")):
        return ""
    return "stdout" if file is None or (isinstance(file, cst.Name) and file.value == "None") else ""


def _parser_read(trail: Trail, place: Place) -> Opening | None:
    """`config.read(path)` of a ConfigParser."""
    call = place.node
    if not (isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value == "read"):
        return None
    if not call.args:
        return None
    for origin in trail.origins(Place(place.module, call.func.value, place.frame)):
        if isinstance(origin.node, cst.Call) and last_name(origin.node.func) in PARSERS:
            return Opening(call, Kind("ConfigParser.read", None, 1, "r"), "r", call.args[0].value)
    return None


def _only_opens(here: tuple[Module, cst.CSTNode], one: Opening) -> bool:
    """Whether the failing statement does nothing but open the file, so that only its name can have failed."""
    parts = [node for part in own_parts(here[1]) for node in walk(part)]
    if not any(node is one.call for node in parts) or one.kind.name in ("write_text", "subprocess"):
        return False
    return not any(
        isinstance(node, cst.Call)
        and last_name(node.func) in ("write", "writelines", "dump", "writerow", "writerows", "print")
        for node in parts
    )


def _with_encoding(one: Opening, value: str) -> cst.Call:
    """The call with its encoding: in the place of a None that stands at the encoding's position, else by name."""
    plain = [index for index, arg in enumerate(one.call.args) if arg.keyword is None and not arg.star]
    if one.kind.encoding is None or one.kind.encoding >= len(plain):
        return with_keyword(one.call, "encoding", value)
    args = list(one.call.args)
    at = plain[one.kind.encoding]
    args[at] = args[at].with_changes(value=cst.parse_expression(value))
    return one.call.with_changes(args=args)


def _open_of_both(module: Module, one: Opening) -> str:
    """What opens text with an encoding in Python 2 and 3: io's, which is `open` itself in 3.

    Python 2's own text (bytes) is refused by io's, so that what only writes goes through codecs, which takes both. That
    opens bytes: it is nothing for a mode that says `t`, nor for what is read, whose lines end elsewhere there.
    """
    plain = [arg for arg in one.call.args if arg.keyword is None]
    others = [arg for arg in one.call.args if arg.keyword is not None and arg.keyword.value not in ("mode", "encoding")]
    only_writes = one.mode in ("w", "a", "x") and len(plain) <= 2 and not others
    library = "codecs" if only_writes and "io" not in module.imported else "io"
    return f"{module.name_of_import(library)}.open"


def _with_handler(module: Module, call: cst.Call, changed: cst.Call) -> cst.Call:
    """`basicConfig` with a handler that opens the file: it takes an encoding itself from Python 3.9 on alone."""
    given = {name: keyword(changed, name) for name in ("filename", "filemode", "encoding", "errors")}
    if given["errors"] is not None:
        raise NotEditable("logging.basicConfig takes errors= from Python 3.9 on alone")
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    library = module.code(owner) if owner is not None else module.name_of_import("logging")
    values = [module.code(value) for name in ("filename", "filemode") if (value := given[name]) is not None]
    encoding = module.code(cast(cst.CSTNode, given["encoding"]))
    handler = f"[{library}.FileHandler({', '.join(values)}, encoding={encoding})]"
    args: list[cst.Arg] = []
    for arg in call.args:
        if arg.keyword is None or arg.keyword.value not in given:
            args.append(arg)
        elif arg.keyword.value == "filename":
            args.append(arg.with_changes(keyword=cst.Name("handlers"), value=cst.parse_expression(handler)))
    if not isinstance(call.args[-1].comma, cst.Comma):
        args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return call.with_changes(args=args)


def _encoding_value(module: Module, one: Opening, encoding: str) -> str:
    literal = f"{module.quote}{encoding}{module.quote}"
    name = mode_name(one) if one.mode is None else None
    if isinstance(name, cst.Name):
        return f"None if {module.quote}b{module.quote} in {name.value} else {literal}"
    return literal


def _around_or_in(module: Module, one: cst.CSTNode, other: cst.CSTNode) -> bool:
    return any(node is other for node in module.ancestors(one)) or any(node is one for node in module.ancestors(other))


def _first_of(module: Module, statement: cst.CSTNode) -> cst.CSTNode | None:
    """The first statement of the function around one, its docstring aside; at the top level, the outermost one."""
    function = module.function(statement)
    if function is not None:
        if not isinstance(function.body, cst.IndentedBlock):
            return None
        body = function.body.body
        first = body[0]
        is_text = (
            isinstance(first, cst.SimpleStatementLine)
            and isinstance(first.body[0], cst.Expr)
            and isinstance(first.body[0].value, cst.SimpleString | cst.ConcatenatedString)
        )
        return body[1] if is_text and len(body) > 1 else first
    outermost = statement
    for around in module.ancestors(statement):
        if isinstance(around, cst.If) and "__name__" in module.code(around.test):
            break
        if isinstance(around, cst.BaseCompoundStatement):
            outermost = around
    return outermost


PATTERN = Unicode()
