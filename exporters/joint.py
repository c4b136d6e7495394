"""Names of models of many exports that are brought together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def joint_names(models: Sequence[tuple[str, str]]) -> list[str]:
    """A distinct name for each (folder, name): its own, or with the folder's before it if it is not alone.

    >>> joint_names([("a", "iaf"), ("b/c", "iaf"), ("b/c", "hh")])
    ['a_iaf', 'b_c_iaf', 'hh']
    """
    counts = Counter(name for _, name in models)
    taken = {name for name, count in counts.items() if count == 1}
    found = []
    for folder, name in models:
        chosen = name
        if counts[name] > 1:
            first, number = f"{_identifier(folder)}_{name}", 2
            chosen = first
            while chosen in taken:
                chosen, number = f"{first}_{number}", number + 1
            taken.add(chosen)
        found.append(chosen)
    return found


def _identifier(folder: str) -> str:
    text = "".join(c if c.isascii() and c.isalnum() else "_" for c in folder)
    return f"_{text}" if text[0].isdigit() else text
