"""Names that LEMS takes: XML names without points or dashes, none of which is a word of its expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

RESERVED = frozenset({
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sqrt", "ceil", "ln", "log", "abs",
    "factorial", "random", "H", "sum", "product",
})  # fmt: skip


@dataclass(slots=True)
class Names:
    """Hands out names of one scope; equal wishes of one key give one name."""

    reserved: frozenset[str] = frozenset()
    taken: set[str] = field(default_factory=set)
    given: dict[str, str] = field(default_factory=dict)

    def get(self, wanted: str, key: str = "") -> str:
        """A name for `wanted`, which may be any text."""
        key = key or wanted
        if key not in self.given:
            self.given[key] = self.fresh(wanted)
        return self.given[key]

    def fresh(self, wanted: str) -> str:
        """A name that nobody has yet."""
        clean = identifier(wanted)
        clean = f"{clean}_" if clean in self.reserved else clean
        name, number = clean, 2
        while name in self.taken:
            name, number = f"{clean}_{number}", number + 1
        self.taken.add(name)
        return name


def identifier(text: str) -> str:
    """`text` as a LEMS identifier.

    >>> identifier("v mem-1"), identifier("2x")
    ('v_mem_1', 'x2x')
    """
    clean = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return clean if clean[:1].isalpha() or clean[:1] == "_" else f"x{clean}"
