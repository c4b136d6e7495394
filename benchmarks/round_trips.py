"""A -> B -> A for every pair of hub formats; writes docs/round_trips.md.

    python benchmarks/round_trips.py FOLDER... [--work DIR] [--seconds 60] [--minutes N] [-o PAGE]

Every model of the folders is converted to B, what that gives to its own language again, and read. The
canonical format takes part as A too: there every model, whatever its language, goes to B and comes back.
Results are kept in the work folder; a call with more time goes on where the last one stopped. They belong
to one version of the code: with another one everything is done again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from interspike.app import registry
from interspike.app.convert import convert
from interspike.app.load import load
from interspike.app.migrate.find import find
from interspike.app.migrate.options import Options
from interspike.app.readback import compare_models, read_results
from interspike.canonical_model.compare import differences
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.model import Model
from matrix import READ, ROOT, UNDECIDED, _told, apart, bounded, equal_models
from measure import version

HUB = ("canonical", "nestml", "lems", "nineml")
EQUAL, BEHAVES, DIFFERENT, REFUSED = "equal", "same behaviour", "different", "refused"
LANGUAGES = {"NeuroML2": "lems", "LEMS": "lems", "NESTML": "nestml", "NineML": "nineml"}
DIRECT = "as A -> A"
VERDICTS = (EQUAL, DIRECT, BEHAVES, DIFFERENT, UNDECIDED, REFUSED)


def main() -> None:
    """Convert there and back, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--seconds", type=int, default=60, help="limit of one trip")
    parser.add_argument("--minutes", type=float, default=1e9, help="limit of all trips")
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/round_trips.md")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    store = Store(work / "trips.json")
    end = time.monotonic() + 60 * arguments.minutes
    for folder in arguments.folders:
        for path in sources(folder):
            if time.monotonic() > end:
                break
            for via in HUB:
                store.note(folder, path, via, arguments.seconds)
    arguments.output.write_text(page(store.known), encoding="utf-8")


class Store:
    """Verdicts by source and pair, kept in a file from call to call of one version of the code."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.version = version()
        self.known: dict[str, str] = kept["trips"] if kept.get("code") == self.version else {}

    def note(self, folder: Path, path: Path, via: str, seconds: int) -> None:
        """Make the trips of a source through `via`, unless their verdicts are known."""
        key = f"{path.relative_to(folder)}|{via}"
        if key in self.known:
            return
        self.known[key] = apart(lambda: json.dumps(list(trips(path, folder, via))), seconds)
        print(key, self.known[key][:300], flush=True)
        self.path.write_text(json.dumps({"code": self.version, "trips": self.known}, indent=1))


def sources(folder: Path) -> Iterator[Path]:
    """The model files below the folder."""
    with tempfile.TemporaryDirectory() as name:
        options = Options(source=folder, output=Path(name), targets=HUB)
        for found in find(options):
            if found.language:
                yield folder / found.path


def trips(path: Path, folder: Path, via: str) -> Iterator[tuple[str, str]]:
    """`A`, verdict and reason of A -> via -> A, for the canonical form and the source's language."""
    source = load(path, search_path=(folder,))
    own = LANGUAGES[source.provenance.language]
    with tempfile.TemporaryDirectory() as name:
        there = Path(name) / "there"
        try:
            result = convert(source, to=via, output=there)
        except ModelError as problem:
            text = f"{REFUSED}: {problem.issues[0].code} {problem.issues[0].message}"
            yield from ((own, text), ("canonical", text))
            return
        files = [there / item.path for item in result.artifacts]
        for number, target in enumerate(("canonical", own)):
            yield target, back(source, files, target, Path(name) / f"back{number}")


def back(source: Model, files: Sequence[Path], target: str, place: Path) -> str:
    """The verdict on the files converted to `target` as a user does."""
    try:
        again = convert(files if len(files) > 1 else files[0], to=target, output=place)
    except ModelError as problem:
        issue = problem.issues[0]
        return f"{DIFFERENT}: not written again: {issue.code} {issue.message}"
    found = read_results(place, [item.path for item in again.artifacts])
    if equal_models(source, found):
        return EQUAL
    if convert(source, to=target).artifacts == again.artifacts:
        return f"{DIRECT}: {unequal(source, found)}"
    exporter = registry.exporter(target)
    told = compare_models(source, found, exporter, length=bounded(source, READ), confirm=False)
    text = _told(told.trials, told.comparisons, told.missing)
    return f"{BEHAVES}: {unequal(source, found)}" if text.startswith("same") else text


def unequal(source: Model, found: Sequence[Model]) -> str:
    """The first things that are not equal in canonical form."""
    if len(found) != 1:
        return f"{len(found)} files"
    one = found[0]
    own = replace(source, name=one.name, provenance=one.provenance)
    return "; ".join(item[:120] for item in differences(own, one)[:3])


def page(known: dict[str, str]) -> str:
    """Tables by pair, and reasons, as Markdown."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for key, text in known.items():
        source, via = key.split("|")
        if text.startswith("["):
            told = [tuple(item) for item in json.loads(text)]
        else:
            told = [("all", text)] if UNDECIDED in text and not text.startswith("[") else []
        for own, said in told:
            verdict, _, why = said.partition(": ")
            counts[own, via][verdict] += 1
            if verdict != EQUAL:
                reasons[own, via, verdict].append(f"`{source}`: {why}")
    return "\n".join([*_table(counts), *_reasons(reasons)]) + "\n"


def _table(counts: dict[tuple[str, str], Counter[str]]) -> list[str]:
    lines = [
        "# Round trips",
        "",
        "Made by `python benchmarks/round_trips.py NEUROML_DIR NINEML_DIR NESTML_DIR --work DIR`.",
        "Each published model is read, written in B, read, written in A, and read again. *Equal*: in",
        "canonical form, names, units, order, comments and documentation included. *As A -> A*: not",
        "equal, but to the byte what writing the model in its own language gives. *Same behaviour*: not",
        "equal, but the networks run alike on the grid, or the components agree at random points (else in",
        "simulation).",
        "*Canonical* as A: the model, whatever its language, goes to B and from there to the canonical",
        "form.",
        "",
        "What B has no word for travels in a comment at the end of its file: the canonical text of the",
        "model that it was made from, compressed. It is taken where the file is unchanged, which is tried",
        "by writing it again: the bytes must be the same. A file that was edited, or made by another",
        "version, is read as it stands, and the report says so (A250, A251). `--as-written` takes any",
        "file as it stands, `--no-origin` leaves the comment out; networks of more than 20,000 values",
        "carry none. `diff`,",
        "`verify` and `simulate` always take files as they stand. Several files of one conversion (the",
        "cells of a network in NESTML) give the whole again where all of them are named.",
        "",
        f"| A | B | {' | '.join(VERDICTS)} |",
        "|---" * (2 + len(VERDICTS)) + "|",
    ]
    for own, via in sorted(counts):
        n = counts[own, via]
        lines.append(f"| {own} | {via} | {' | '.join(str(n[v]) for v in VERDICTS)} |")
    return lines


def _reasons(reasons: dict[tuple[str, str, str], list[str]]) -> list[str]:
    lines = ["", "## Why not equal", ""]
    for (own, via, verdict), found in sorted(reasons.items()):
        lines += ["", f"### {own} - {via} - {own}: {verdict}", ""]
        for text in found:
            clean = " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")[:300]
            lines.append(f"* {clean}")
    return lines


if __name__ == "__main__":
    main()
