"""Reading NESTML files of growing size: CPU time and memory, by what the file is full of.

Each file is read, checked and lowered in a process of its own. Writes `docs/nestml_size.md`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import Cost, once

PAGE = Path(__file__).resolve().parents[1] / "docs" / "nestml_size.md"
SIZES = (64_000, 256_000, 1_000_000)
READ = """
import sys
from pathlib import Path
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.importers.nestml.reader import read
for name in sys.argv[1:]:
    try:
        read(Path(name), log=Log())
    except ModelError as problem:
        print(len(problem.issues))
"""
HEAD = "model m{}:\n    state:\n        V mV = 0 mV\n        x real = 1\n"
SMALL = (
    "    parameters:\n        tau ms = 10 ms  # a time\n    equations:\n        kernel k = exp(-t / tau)\n"
    "        V' = -V / tau + convolve(k, s) * 1 mV / 1 ms\n    input:\n        s <- spike\n"
    "    output:\n        spike\n    update:\n        integrate_odes()\n    onCondition(V > 1 mV):\n"
    "        V = 0 mV\n        emit_spike()\n"
)


def models(count: int) -> str:
    """Many small models."""
    return "\n".join(HEAD.format(k) + SMALL for k in range(count))


def states(count: int) -> str:
    """One model of many states, each with its equation."""
    state = "".join(f"        y{k} mV = {k} mV\n" for k in range(count))
    odes = "".join(f"        y{k}' = -y{k} / tau + V * x / tau\n" for k in range(count))
    tail = "    parameters:\n        tau ms = 10 ms\n    update:\n        integrate_odes()\n"
    return f"{HEAD.format(0)}{state}    equations:\n{odes}{tail}"


def program(count: int) -> str:
    """One long program with branches."""
    lines = "".join(
        f"        if V > {k} mV and x < {k}.5:\n            x += exp(-V / 1 mV) * {k}\n"
        for k in range(count)
    )
    return f"{HEAD.format(0)}    update:\n{lines}"


def sums(count: int) -> str:
    """Sums of 1000 terms."""
    term = " + ".join(["x * 2.5"] * 1000)
    return f"{HEAD.format(0)}    update:\n" + f"        x = {term}\n" * max(1, count)


def comments(count: int) -> str:
    """Mostly comments."""
    notes = "".join(f"        # line {k} of what there is to say about it\n" for k in range(count))
    return f"{HEAD.format(0)}    update:\n{notes}        x = 2\n"


def mistakes(count: int) -> str:
    """An unknown name in each line, near to one that is known."""
    lines = "".join(f"        xx{k} = V + 3\n" for k in range(count))
    return f"{HEAD.format(0)}    update:\n{lines}"


SHAPES: dict[str, Callable[[int], str]] = {
    "small models": models, "states and equations": states, "a program": program,
    "sums of 1000 terms": sums, "comments": comments, "mistakes": mistakes,
}  # fmt: skip


def of_size(shape: Callable[[int], str], size: int) -> str:
    """A text of about `size` bytes."""
    low = shape(10)
    each = (len(shape(20)) - len(low)) / 10
    return shape(max(1, round((size - len(low)) / each) + 10))


def measure(shape: Callable[[int], str], size: int, folder: Path) -> tuple[int, Cost]:
    """Bytes, and the cost of reading them."""
    path = folder / "model.nestml"
    text = of_size(shape, size)
    path.write_text(text)
    return len(text), once([sys.executable, "-P", "-c", READ, str(path)], folder)


def main() -> None:
    """Measure; write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty.nestml").write_text(models(1))
        start = once([sys.executable, "-P", "-c", READ, str(folder / "empty.nestml")], folder)
        for shape, build in SHAPES.items():
            cells = []
            for size in SIZES:
                length, cost = measure(build, size, folder)
                cells.append(f"{(cost.cpu - start.cpu) / length * 1e6:.2f} | {cost.peak:.0f}")
            lines.append(f"| {shape} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    head = " | ".join(f"{size // 1000} kB: s/MB | MB" for size in SIZES)
    PAGE.write_text(
        "# Reading NESTML files of growing size\n\n"
        "Written by `python benchmarks/nestml_size.py`: CPU seconds per megabyte of text (start of Python\n"
        f"and imports, {start.cpu:.2f} s and {start.peak:.0f} MB, taken off the time) and peak memory, "
        "each file in a\nprocess of its own.\n\n"
        f"| full of | {head} |\n|---|{'---|' * (2 * len(SIZES))}\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
