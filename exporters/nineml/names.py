"""Names that NineML takes: letters, digits and inner underscores, different in more than case."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

RESERVED = frozenset({
    "t", "exp", "sin", "cos", "log", "log10", "pow", "sinh", "cosh", "tanh", "sqrt", "atan",
    "asin", "acos", "asinh", "acosh", "atanh", "atan2", "abs", "min", "max", "mod", "tan",
    # words of the language in which the reference library is written
    "lambda", "in", "is", "if", "or", "and", "not", "as", "for", "def", "del", "from", "pass",
    "else", "elif", "try", "with", "while", "class", "import", "return", "global", "None", "True",
    "False", "random", "yield", "raise", "assert", "break", "continue", "except", "finally",
    "nonlocal", "async", "await",
    # and its functions, which the library takes for themselves
    "all", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes", "callable",
    "chr", "classmethod", "compile", "complex", "delattr", "dict", "dir", "divmod",
    "enumerate", "eval", "exec", "filter", "float", "format", "frozenset", "getattr",
    "globals", "hasattr", "hash", "help", "hex", "id", "input", "int", "isinstance",
    "issubclass", "iter", "len", "list", "locals", "map", "memoryview", "next", "object",
    "oct", "open", "ord", "print", "property", "range", "repr", "reversed", "round",
    "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple",
    "type", "vars", "zip",
})  # fmt: skip


@dataclass(slots=True)
class Names:
    """Hands out names of one scope; equal wishes of one key give one name."""

    exact: bool = False
    taken: set[str] = field(default_factory=set)
    given: dict[str, str] = field(default_factory=dict)

    def fold(self, name: str) -> str:
        """What must be unique about a name."""
        return name if self.exact else name.lower()

    def get(self, wanted: str, key: str = "") -> str:
        """A name for `wanted`, which may be any text."""
        key = key or wanted
        if key in self.given:
            return self.given[key]
        # only symbols in expressions can be mistaken for words of their language
        clean = identifier(wanted, () if self.exact else RESERVED)
        name, number = clean, 2
        while self.fold(name) in self.taken:
            name, number = f"{clean}_{number}", number + 1
        self.taken.add(self.fold(name))
        self.given[key] = name
        return name


def identifier(text: str, reserved: Collection[str] = RESERVED) -> str:
    """`text` as a NineML identifier.

    >>> identifier("_v mem_")
    'v_mem'
    """
    clean = re.sub(r"[^A-Za-z0-9_]", "_", text).strip("_")
    clean = clean if clean[:1].isalpha() else f"x{clean}"
    return f"{clean}_x" if clean in reserved else clean
