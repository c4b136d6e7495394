"""The matrix source format x target format: converted, same behaviour, refused; writes docs/matrix.md.

    python benchmarks/matrix.py FOLDER... [--to TARGET ...] [--work DIR] [--seconds 30] [-o docs/matrix.md]

Conversions are made by `migrate`. A result that can be read back is compared with its source by `diff`;
what runs on the emulator is run by `verify`. Comparisons are kept in the work folder: a second call goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from interspike.app.diff import compare_components, pair_components
from interspike.app.load import load
from interspike.app.migrate.options import CRASHED, EXACT, FAILED, LOSSY, REFUSED, Options
from interspike.app.migrate.run import migrate
from interspike.app.verify import readable, verify
from interspike.app.writing import read_manifest
from interspike.canonical_model.diagnostics import ModelError

TARGETS = ("canonical", "nestml", "lems", "nineml", "nest", "spinnaker2")
SAME, DIFFERENT, UNDECIDED = "same", "different", "undecided"
NOT_COMPARED = "not compared"
NAMES = {"nineml": "NineML", "nestml": "NESTML", "lems": "LEMS"}  # of files that could not be read
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Convert, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--to", action="append", default=[])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--seconds", type=int, default=30, help="limit of one comparison")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--known", action="store_true", help="compare nothing that is not known yet"
    )
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/matrix.md")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp())
    targets = tuple(arguments.to) or TARGETS
    rows: list[dict[str, Any]] = []
    for number, folder in enumerate(arguments.folders):
        output = work / f"{number}_{folder.name}"
        options = Options(source=folder, output=output, targets=targets, jobs=arguments.jobs)
        migrate(options, resume=True)
        data = json.loads((output / "migration.json").read_text())
        rows += list(compared(folder, output, data["files"], arguments.seconds, arguments.known))
    arguments.output.write_text(page(rows, targets), encoding="utf-8")


def compared(
    folder: Path, output: Path, rows: Sequence[dict[str, Any]], seconds: int, only_known: bool
) -> Iterator[dict[str, Any]]:
    """The rows with `behaviour`, from the store beside the results where it is known already."""
    store = output / ".interspike/behaviour.json"
    known: dict[str, str] = json.loads(store.read_text()) if store.exists() else {}
    for row in rows:
        if row["status"] in (EXACT, LOSSY):
            key = f"{row['folder']} {row['manifest']}"
            if key not in known and only_known:
                row["behaviour"] = NOT_COMPARED
                yield row
                continue
            if key not in known:
                known[key] = apart(lambda row=row: behaviour(folder, output, row), seconds)
                store.write_text(json.dumps(known, indent=1))
            row["behaviour"] = known[key]
        yield row


def behaviour(folder: Path, output: Path, row: dict[str, Any]) -> str:
    """Verdict and first reason of one conversion."""
    source = load(folder / row["source"], search_path=(folder,))
    if row["part"]:
        from dataclasses import replace

        source = replace(source, components=(source.component(row["part"]),), network=None)
    if row["target"] == "nest":
        return NOT_COMPARED
    if row["target"] == "spinnaker2":
        found = verify(source, to="spinnaker2", length="50ms")
        bad = [trial.name for trial in found.trials if trial.verdict != SAME]
        return f"{found.verdict}: {', '.join(bad)}".rstrip(": ")
    place = output / row["folder"]
    files = (read_manifest(place) or {"files": {}})["files"]
    theirs = [
        component
        for path in readable(place, sorted(files))
        for component in load(path, search_path=(place,)).components
    ]
    pairs, _ = pair_components(source.components, theirs)
    if not pairs:
        return f"{UNDECIDED}: nothing to pair"
    for one, other in pairs:
        result = compare_components(one, other, confirm=False)
        if result.differences:
            first = result.differences[0]
            verdict = UNDECIDED if first.kind == "form" else DIFFERENT
            return f"{verdict}: {one.name}: {first.sentence}"
    return SAME


def apart(work: Callable[[], str], seconds: int) -> str:
    """What `work` returns, computed in a child within `seconds`."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(seconds)
        try:
            text = work()
        except ModelError as problem:
            text = f"{UNDECIDED}: {problem.issues[0].message}"
        except Exception as problem:
            text = f"{UNDECIDED}: {type(problem).__name__}: {problem}"
        os.write(writer, text[:2000].encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read().decode()
    os.waitpid(pid, 0)
    return text or f"{UNDECIDED}: not within {seconds} s"


def page(rows: Sequence[dict[str, Any]], targets: Sequence[str]) -> str:
    """The matrix and the reasons, as Markdown."""
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        if not row["target"] or not row["language"]:
            continue
        where = NAMES.get(row["language"], row["language"]), row["target"]
        cells[where][row["status"]] += 1
        verdict = row.get("behaviour", "").partition(":")[0]
        if verdict:
            cells[where][verdict] += 1
        if verdict not in ("", SAME, NOT_COMPARED):
            name = row["source"] + (f" ({row['part']})" if row["part"] else "")
            reasons[*where, verdict][f"`{name}`: {row['behaviour'].partition(': ')[2]}"] += 1
        elif row["status"] in (REFUSED, FAILED, CRASHED) and row["reasons"]:
            first = row["reasons"][0]
            reasons[*where, row["status"]][f"{first['code']} {first['message']}"] += 1
    return "\n".join([*_matrix(cells, targets), *_reasons(reasons)]) + "\n"


def _matrix(cells: dict[tuple[str, str], Counter[str]], targets: Sequence[str]) -> list[str]:
    lines = [
        "# The matrix of formats",
        "",
        "Made by `benchmarks/matrix.py` over published models (NeuroML2, NineML, NESTML's library; invalid",
        "ones among them). *converted*: nothing lost + with stated losses; *same*: of those that were",
        "compared, how many behave as their source (`diff` on components that are read back, the emulator",
        "for SpiNNaker2); *undecided*: no comparison within its limit of time, or none that has a meaning.",
        "The rest is refused with a reason, or the source is wrong. The reasons are below.",
        "",
        "| from | to | converted | same | different | undecided | not compared | refused "
        "| source wrong | our fault |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for source in sorted({source for source, _ in cells}):
        for target in targets:
            n = cells[source, target]
            compared = n[SAME] + n[DIFFERENT]
            same = f"{n[SAME]} of {compared}" if compared else "-"
            lines.append(
                f"| {source} | {target} | {n[EXACT]} + {n[LOSSY]} | {same} | {n[DIFFERENT]} "
                f"| {n[UNDECIDED]} | {n[NOT_COMPARED]} | {n[REFUSED]} | {n[FAILED]} | {n[CRASHED]} |"
            )
    return lines


def _reasons(reasons: dict[tuple[str, str, str], Counter[str]]) -> list[str]:
    lines = ["", "## Reasons"]
    for (source, target, verdict), found in sorted(reasons.items()):
        lines += ["", f"### {source} to {target}: {verdict}", ""]
        for text, count in found.most_common(25):
            clean = " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")[:300]
            lines.append(f"* {clean}" + (f" ({count})" if count > 1 else ""))
        if len(found) > 25:
            lines.append(f"* and {len(found) - 25} more")
    return lines


if __name__ == "__main__":
    main()
