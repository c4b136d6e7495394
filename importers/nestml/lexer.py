"""From text to a tree of logical lines: tokens, comments, continued lines, blocks by indentation or `end`.

Codes: N001 not UTF-8, N002 a character that NESTML does not have, N003 an open string or comment, N010 a
line stands deeper for no reason, N011 a line returns to an indentation that no block has, N012 a block
without a statement, N013 `end` without a block, N014 too large, N090 an older form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log, Span, error
from .tokens import KEYWORDS, SYMBOLS, Line, Note, Token

MAX_BYTES = 64 << 20
MAX_INDENTS = 100  # blocks inside each other
TAB = 8

_SYMBOL = "|".join(re.escape(text) for text in sorted(SYMBOLS, key=len, reverse=True))
_TOKEN = re.compile(
    r"[ \t\f]*+(?:"
    r"(?P<NAME>[A-Za-z_$][\w$]*+)"
    r"|(?P<FLOAT>(?:\d++(?:\.(?!\.\.)\d*+)(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?|\d++[eE][-+]?\d++))"
    r"|(?P<INTEGER>\d++)"
    r'|(?P<DOC>""")'
    r'|(?P<STRING>"(?:[^"\\]|\\.)*+")'
    r"|(?P<COMMENT>\#.*+)"
    r"|(?P<OPEN>/\*)"
    rf"|(?P<SYMBOL>{_SYMBOL})"
    r"|(?P<BACKSLASH>\\[ \t]*+$)"
    r"|(?P<END>$)"
    r"|(?P<OTHER>.))",
    re.ASCII | re.DOTALL,
)
_JOINING = ("KERNEL", "shape")


def decode(data: bytes, file: str) -> str:
    """The text of a file. Raises ModelError N001, N014."""
    if len(data) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES >> 20} MB"
        raise error("N014", message, Span(file))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        message = f"byte {problem.start} is not UTF-8 text"
        hint = "save the file as UTF-8"
        raise error("N001", message, Span(file, line), hint=hint) from None


def read_lines(text: str, file: str, log: Log) -> list[Line]:
    """The top-level lines with all that stands inside them. What is wrong goes to `log`."""
    return _blocks(_Lexer(file, log).lines(text), file, log)


@dataclass(slots=True)
class _Lexer:
    """Physical lines become logical ones; comments go to the line that they belong to."""

    file: str
    log: Log
    comments: list[Note] = field(default_factory=list)  # own lines directly above
    loose: list[Note] = field(default_factory=list)  # those that a blank line cuts off
    tokens: list[Token] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    inner: list[list[str]] = field(default_factory=list)
    waiting: str = ""  # the mark that ends the comment or docstring that is open
    opened: int = 0
    brackets: list[str] = field(default_factory=list)
    joined: bool = False

    def lines(self, text: str) -> Iterator[Line]:
        """Every logical line, without bodies."""
        number = 0
        ends = text.replace("\r\n", "\n").replace("\r", "\n")
        for number, source in enumerate(ends.split("\n"), 1):
            start = len(self.tokens)
            if self.physical(source, number):
                continue
            if len(self.tokens) == start and not self.joined:
                self.blank(source)
            if self.tokens:
                if self.continues():
                    self.inner.append([*(note.text for note in self.comments), *self.beside])
                    self.comments, self.beside = [], []
                    continue
                yield self.finish()
        if self.waiting:
            what = "docstring" if self.waiting == '"""' else "comment"
            self.report("N003", f"this {what} is never closed", self.opened, 1)
        if self.tokens:
            yield self.finish()
        if self.loose or self.comments:
            end = Token("$END", "", number, 1)
            yield self.line([end], 0)

    def report(self, code: str, message: str, line: int, column: int, hint: str = "") -> None:
        """An error at a place."""
        self.log.add(code, Level.ERROR, message, Span(self.file, line, column), hint=hint)

    def blank(self, source: str) -> None:
        """A line without tokens: an empty one detaches the comments above it."""
        if not source.strip() and not self.waiting:
            self.loose.extend(self.comments)
            self.comments = []

    def continues(self) -> bool:
        """A kernel's equations go on after a comma at the end of a line."""
        first = self.tokens[0]
        joins = first.kind in _JOINING or first.text in _JOINING
        self.joined = joins and self.tokens[-1].kind == "COMMA"
        return self.joined

    def finish(self) -> Line:
        """The logical line gathered so far."""
        first = self.tokens[0]
        line = self.line(self.tokens, first.column - 1)
        line.beside, line.inner = self.beside, self.inner
        self.tokens, self.comments, self.beside, self.loose, self.inner = [], [], [], [], []
        self.brackets, self.joined = [], False
        return line

    def line(self, tokens: list[Token], indent: int) -> Line:
        """A line with the comments above it."""
        line = Line(tokens, indent, above=[*self.loose, *self.comments])
        line.loose = [note.text for note in self.loose]
        line.before = [note.text for note in self.comments]
        return line

    def physical(self, source: str, number: int) -> bool:
        """Take one physical line; True if it goes on at the next by a backslash."""
        position = 0
        expanded = source.expandtabs(TAB) if "\t" in source else source
        first = len(expanded) - len(expanded.lstrip()) - (len(source) - len(source.lstrip()))
        own = True
        while True:
            if self.waiting:
                position = self.inside(source, position, number)
                if position < 0:
                    return False
            match = _TOKEN.match(source, position)
            if match is None or match.lastgroup is None:  # not possible: OTHER takes the rest
                return False
            kind, text = match.lastgroup, match[match.lastgroup]
            column = match.start(kind) + 1
            position = match.end()
            if kind == "END":
                return False
            if kind == "BACKSLASH":
                return True
            if kind == "COMMENT":
                if own:
                    self.comments.append(Note(_comment(text), column - 1 + first))
                else:
                    self.beside.append(_comment(text))
                return False
            if kind in ("OPEN", "DOC"):
                self.waiting, self.opened = ("*/" if kind == "OPEN" else '"""'), number
                what = "/* */ comments" if kind == "OPEN" else "docstrings between triple quotes"
                message = f"{what} are an older form: comments begin with '#' now"
                self.log.add("N090", Level.NOTE, message, Span(self.file, number, column))
                continue
            self.token(kind, text, number, column, first if own else 0)
            own = False

    def inside(self, source: str, position: int, number: int) -> int:
        """Take comment text up to its closing mark; -1 if that is not on this line."""
        end = source.find(self.waiting, position)
        text = source[position : end if end >= 0 else len(source)].strip()
        if text or (end < 0 and number != self.opened):
            self.comments.append(Note(text, 0))
        if end < 0:
            return -1
        end += len(self.waiting)
        self.waiting = ""
        return end

    def token(self, kind: str, text: str, number: int, column: int, shift: int) -> None:
        """Add a token of the right kind. `shift`: how much wider tabs make the indentation."""
        if kind == "NAME":
            kind = KEYWORDS.get(text, "NAME")
        elif kind == "SYMBOL":
            kind = self.symbol(text, number, column)
            if not kind:
                return
        elif kind == "OTHER":
            self.other(text, number, column)
        self.tokens.append(Token(kind, text, number, column, shift or None))

    def symbol(self, text: str, number: int, column: int) -> str:
        """`[[` and `]]` are guards only where no index can stand or end."""
        if text == "[":
            self.brackets.append("[")
        elif text == "[[":
            self.brackets.append("[[")
        elif text == "]]" and self.brackets[-1:] != ["[["]:
            self.tokens.append(Token("RBRACK", "]", number, column))
            self.brackets = self.brackets[:-2]
            self.tokens.append(Token("RBRACK", "]", number, column + 1))
            return ""
        elif text in ("]", "]]"):
            self.brackets = self.brackets[:-1]
        return SYMBOLS[text]

    def other(self, text: str, number: int, column: int) -> None:
        """A character that the language does not have."""
        hint = ""
        if text in "\u00b5\u03bc":
            hint = "write 'u' for micro: 'us', 'um'"
        elif text in "\u03a9\u2126":
            hint = "write 'Ohm'"
        elif text == '"':
            hint = "a string ends on the line where it begins"
            self.report("N003", "this string is never closed", number, column, hint)
            return
        elif text == "\\":
            hint = "a backslash joins lines only at the very end of a line"
        elif ord(text) > 127:
            hint = "names are made of ASCII letters, digits, '_' and '$'"
        self.report("N002", f"unexpected character {text!r}", number, column, hint)


def _comment(text: str) -> str:
    """The text behind the mark, without the one space that usually follows it."""
    return text[1:].removeprefix(" ").rstrip()


def _blocks(lines: Iterator[Line], file: str, log: Log) -> list[Line]:
    """Nest the lines, by indentation, or by `end` in files older than 5.3."""
    every = list(lines)
    ending = [line for line in every if _word(line) == "end"]
    if ending:
        span = Span(file, *ending[0].at)
        message = "blocks closed by 'end' are an older form: indentation does it now"
        log.add("N090", Level.NOTE, message, span)
        return _by_end(every, file, log)
    return _by_indentation(every, file, log)


def _word(line: Line) -> str:
    first = line.tokens[0]
    return first.text if len(line.tokens) == 1 and first.kind == "NAME" else ""


def _by_indentation(lines: list[Line], file: str, log: Log) -> list[Line]:
    top: list[Line] = []
    stack: list[tuple[int, list[Line], Line | None]] = [(0, top, None)]
    previous: Line | None = None
    for line in lines:
        first = line.tokens[0]
        if first.kind == "$END":
            _trailing(top, line)
            continue
        line.indent = first.column - 1 + (first.value if isinstance(first.value, int) else 0)
        deeper = line.indent > stack[-1][0]
        span = Span(file, *line.at)
        if previous is not None and previous.opens and line.indent > previous.indent:
            if len(stack) > MAX_INDENTS:
                raise error("N014", f"more than {MAX_INDENTS} blocks inside each other", span)
            stack.append((line.indent, previous.body, previous))
        elif deeper and previous is not None:
            message = "this line stands deeper than the one above, which opens no block"
            hint = "a line that opens a block ends in ':'; a long line goes on after a '\\'"
            log.add("N010", Level.ERROR, message, span, hint=hint)
        if line.above and line.indent < stack[-1][0]:
            _leave_behind(line, stack)
        while line.indent < stack[-1][0]:
            stack.pop()
        level, target, _ = stack[-1]
        if line.indent > level and not (deeper or level == 0):
            message = "this line returns to an indentation that no block above it has"
            log.add("N011", Level.WARNING, message, span)
        target.append(line)
        previous = line
    _complain_about_empty(top, file, log)
    return top


def _leave_behind(line: Line, stack: list[tuple[int, list[Line], Line | None]]) -> None:
    """Comments that stand deeper than the line below them belong to the end of a block above."""
    for note in line.above:
        if note.indent <= line.indent:
            continue
        owners = [
            header for level, _, header in stack if header and line.indent < level <= note.indent
        ]
        texts = line.before if note.text in line.before else line.loose
        if owners and note.text in texts:
            texts.remove(note.text)
            owners[-1].after.append(note.text)


def _by_end(lines: list[Line], file: str, log: Log) -> list[Line]:
    top: list[Line] = []
    stack: list[list[Line]] = [top]
    for line in lines:
        if line.tokens[0].kind == "$END":
            _trailing(top, line)
            continue
        ends, follows = _word(line) == "end", line.tokens[0].kind in ("ELIF", "ELSE")
        if ends or follows:
            if len(stack) == 1:
                message = f"this '{line.tokens[0].text}' belongs to no block"
                log.add("N013", Level.ERROR, message, Span(file, *line.at))
                continue
            stack.pop()
            if ends:
                _comments_of_end(stack[-1][-1], line)
                continue
        stack[-1].append(line)
        if line.opens:
            if len(stack) > MAX_INDENTS:
                message = f"more than {MAX_INDENTS} blocks inside each other"
                raise error("N014", message, Span(file, *line.at))
            stack.append(line.body)
    if len(stack) > 1:
        opened = stack[-2][-1]
        log.add("N013", Level.ERROR, "this block is never ended", Span(file, *opened.at))
    return top


def _comments_of_end(opened: Line, line: Line) -> None:
    opened.after.extend([*line.loose, *line.before])


def _trailing(top: list[Line], end: Line) -> None:
    """Comments after the last line belong to the last line at the top."""
    if top:
        top[-1].after.extend([*end.loose, *end.before])


def _complain_about_empty(lines: list[Line], file: str, log: Log) -> None:
    waiting = list(lines)
    while waiting:
        line = waiting.pop()
        waiting.extend(line.body)
        if line.opens and not line.body:
            shown = line.tokens[0].text
            message = f"the block that '{shown}' opens is empty"
            hint = "a comment is not enough: a block holds at least one line, indented deeper"
            log.add("N012", Level.ERROR, message, Span(file, *line.at), hint=hint)
