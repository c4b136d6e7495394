"""The canonical model's own text form: JSON, versioned, readable, lossless, the same bytes every time.

Fields at their default are left out. Expressions and quantities stand in the canonical notation
(`expr_text`), dimensions by name or as seven exponents, long arrays as base64 of little-endian 8-byte
numbers. The data classes themselves are the schema: a new field needs no change here.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn, cast

from .diagnostics import Span, error
from .model import Model
from .serial_read import Reader
from .serial_write import layout, write

FORMAT = "interspike"
VERSION = 1
ORIGIN = "interspike:origin "  # begins a comment at a file's end that holds this text, packed
MAX_LENGTH = 400_000_000  # characters


def dumps(model: Model, *, with_spans: bool = False) -> str:
    """The model as text, ending in a newline. Source spans only `with_spans`.

    Raises ModelError M104 if components are nested too deeply to be read back.
    """
    document = {FORMAT: VERSION, "model": write(model, Model, with_spans)}
    return layout(document) + "\n"


def loads(text: str, file: str = "") -> Model:
    """The model that `text` says; `file` is named in errors. Safe on any input.

    Raises ModelError: M101 not JSON (line and column), M102 not a model or another version, M103 a
    field is wrong (its path), M104 too large or too deep, M120 and M121 for expressions.
    """
    if len(text) > MAX_LENGTH:
        raise error("M104", f"a canonical model has more than {MAX_LENGTH} characters")
    document = _parse(text, file)
    if not isinstance(document, dict) or FORMAT not in document:
        hint = f'the text form begins with {{"{FORMAT}": {VERSION}, "model": ...'
        raise error("M102", "this is JSON, but not a canonical model", Span(file), hint=hint)
    version = document[FORMAT]
    if version != VERSION or isinstance(version, bool):
        message = f"version {str(version)[:20]!r} of the canonical form cannot be read"
        hint = f"this is version {VERSION}; a newer program may be needed"
        raise error("M102", message, Span(file), hint=hint)
    unknown = document.keys() - {FORMAT, "model"}
    if unknown or "model" not in document:
        what = f"unknown field {min(unknown)!r}" if unknown else "the field 'model' is missing"
        raise error("M103", f"{what} at the top", Span(file))
    model = Reader(file).read(document["model"], Model, "model")
    return cast(Model, model)


def _parse(text: str, file: str) -> object:
    """Strict JSON: no repeated keys, no NaN, bounded depth."""

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(items)
        if len(found) != len(items):
            twice = Counter(key for key, _ in items).most_common(1)[0][0]
            raise error("M101", f"the field {twice[:60]!r} is given twice", Span(file))
        return found

    def constant(name: str) -> NoReturn:
        hint = 'write "nan", "inf" or "-inf" in quotation marks'
        raise error("M101", f"{name} is not JSON", Span(file), hint=hint)

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as problem:
        place = Span(file, problem.lineno, problem.colno)
        raise error("M101", f"this is not JSON: {problem.msg}", place) from None
    except RecursionError:
        raise error("M104", "the text is nested too deeply", Span(file)) from None
    except ValueError:
        raise error("M101", "a number has too many digits", Span(file)) from None
