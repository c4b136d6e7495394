"""The matrix source format x target format: converted, same behaviour, refused; writes docs/matrix.md.

    python benchmarks/matrix.py FOLDER... [--to TARGET ...] [--work DIR] [--seconds 60]
        [--compare TARGET ...] [--minutes N] [--again] [-o docs/matrix.md]

Conversions are made by `migrate`. What can be run (the emulator, NEST) runs beside the reference simulator on
the grid; what can be read back is: equal in canonical form, or its network runs beside the source's on
the grid, or its components are compared as `diff` does. Comparisons are kept in the work folder: a call with
more time, or for other targets, goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from interspike.app import registry
from interspike.app.behaviour.results import DIFFERENT, SAME, Comparison
from interspike.app.load import load
from interspike.app.migrate.options import CRASHED, EXACT, FAILED, LOSSY, REFUSED, Options
from interspike.app.migrate.run import migrate
from interspike.app.readback import compare_models, read_results
from interspike.app.trial import TRACE, Trial
from interspike.app.verify import verify
from interspike.app.writing import read_manifest
from interspike.canonical_model.compare import equal
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.expr import RANDOM_FUNCTIONS
from interspike.canonical_model.model import Model, Provenance
from interspike.canonical_model.serial import dumps
from measure import version

TARGETS = ("canonical", "nestml", "lems", "nineml", "nest", "spinnaker2")
UNDECIDED = "undecided"
NOT_COMPARED = "not compared"
COMPILED, READ = 1000, 3000  # steps of a network that are run: on other engines, here
NAMES = {"nineml": "NineML", "nestml": "NESTML", "lems": "LEMS"}  # of files that could not be read
ROOT = Path(__file__).resolve().parents[1]
CODE = version()


def main() -> None:
    """Convert, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--to", action="append", default=[])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--seconds", type=int, default=60, help="limit of one comparison, of CPU")
    parser.add_argument("--compare", action="append", default=[], help="targets to compare now")
    parser.add_argument("--minutes", type=float, default=1e9, help="limit of all comparisons")
    parser.add_argument(
        "--again", action="store_true", help="repeat what did not come out the same"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/matrix.md")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp())
    targets = tuple(arguments.to) or TARGETS
    end = time.monotonic() + 60 * arguments.minutes
    limits = Limits(arguments.compare or targets, arguments.seconds, end, arguments.again)
    rows: list[dict[str, Any]] = []
    for number, folder in enumerate(arguments.folders):
        output = work / f"{number}_{folder.name}"
        options = Options(source=folder, output=output, targets=targets, jobs=arguments.jobs)
        migrate(options, resume=True)
        data = json.loads((output / "migration.json").read_text())
        rows += list(compared(folder, output, data["files"], limits, {}))
    arguments.output.write_text(page(rows, targets), encoding="utf-8")


def compared(
    folder: Path, output: Path, rows: Sequence[dict[str, Any]], limits: Limits, twins: Twins
) -> Iterator[dict[str, Any]]:
    """The rows with `behaviour`, from the store beside the results where it is known already."""
    store = output / ".interspike/behaviour.json"
    known: dict[str, str] = json.loads(store.read_text()) if store.exists() else {}
    known = known if known.get("code") == CODE else {"code": CODE}  # results of one version
    if limits.again:
        known = {key: text for key, text in known.items() if text.startswith(SAME) or key == "code"}
    for row in rows:
        if row["status"] in (EXACT, LOSSY):
            key = f"{row['folder']} {row['manifest']}"
            if limits.allows(row["target"]):
                twin = meaning(folder, row)
                if key not in known:
                    known[key] = twins.get(twin) or apart(
                        lambda row=row: behaviour(folder, output, row), limits.seconds
                    )
                    print(row["target"], row["source"], row["part"], known[key][:150], flush=True)
                    store.write_text(json.dumps(known, indent=1))
                twins[twin] = known[key]
            row["behaviour"] = known.get(key, NOT_COMPARED)
        yield row


@dataclass(slots=True)
class Limits:
    """What may still be done: comparisons of these targets, `seconds` for each, until `end`."""

    targets: Sequence[str]
    seconds: int
    end: float
    again: bool = False

    def allows(self, target: str) -> bool:
        """May one more conversion to `target` be compared?"""
        return target in self.targets and time.monotonic() < self.end


Twins = dict[tuple[str, str], str]  # target, meaning of a source -> verdict


def meaning(folder: Path, row: dict[str, Any]) -> tuple[str, str]:
    """The target, and a digest of what the source says whatever its name and what it records.

    Published models come in pairs that differ in output files only.
    """
    source = chosen(folder, row)
    network = source.network
    if network is not None and network.experiment is not None:
        silent = replace(network.experiment, recordings=(), events=(), displays=())
        network = replace(network, experiment=silent)
    plain = replace(source, name="model", provenance=Provenance(), network=network)
    return row["target"], hashlib.sha256(dumps(plain).encode()).hexdigest()


def chosen(folder: Path, row: dict[str, Any]) -> Model:
    """What was converted: a file, or one component of it."""
    source = load(folder / row["source"], search_path=(folder,))
    if row["part"]:
        source = replace(source, components=(source.component(row["part"]),), network=None)
    return source


def behaviour(folder: Path, output: Path, row: dict[str, Any]) -> str:
    """Verdict and first reason of one conversion."""
    source = chosen(folder, row)
    target = registry.exporter(row["target"])
    if target.run:
        found = verify(source, to=target.name, length=bounded(source, COMPILED))
        told = _told(found.trials, (), ())
        if told.startswith(DIFFERENT) and _draws(source):
            return f"{UNDECIDED}: random numbers, which another generator draws there"
        return told
    place = output / row["folder"]
    files = (read_manifest(place) or {"files": {}})["files"]
    theirs = read_results(place, sorted(files))
    if any(item.components for item in theirs) and equal_models(source, theirs):
        return f"{SAME}: equal in canonical form"
    found = compare_models(source, theirs, target, length=bounded(source, READ), confirm=False)
    return _told(found.trials, found.comparisons, found.missing)


def _draws(source: Model) -> bool:
    """Does any part of the source draw random numbers?"""
    calls = (f'"{name}"' for name in RANDOM_FUNCTIONS)
    text = dumps(source)
    return any(call in text or f"{call[1:-1]}(" in text for call in calls)


def bounded(source: Model, steps: int) -> float | None:
    """The experiment's length (s), or that of so many of its steps; None where there is no network."""
    if source.network is None:
        return None
    experiment = source.network.experiment
    step = experiment.step if experiment and experiment.step else 1e-4
    return min(experiment.length if experiment and experiment.length else 0.1, steps * step)


def equal_models(source: Model, theirs: Sequence[Model]) -> bool:
    """Is it the same canonical model, where it came from left out?"""
    if len(theirs) != 1:
        return False
    (one,) = theirs
    return equal(replace(source, name=one.name, provenance=one.provenance), one)


def _told(
    trials: Sequence[Trial], comparisons: Sequence[Comparison], missing: Sequence[str]
) -> str:
    """One line: what differs first, else how it was seen that nothing does."""
    for trial in trials:
        if trial.verdict != SAME:
            return f"{DIFFERENT}: {trial.name}: {'; '.join(_apart(trial))}"
    for item in comparisons:
        if item.differences:
            first = item.differences[0]
            verdict = UNDECIDED if first.kind == "form" else DIFFERENT
            return f"{verdict}: {item.name}: {first.sentence}"
    if missing:
        return f"{UNDECIDED}: only the type of {', '.join(missing)} is there, without values"
    if not trials and not comparisons:
        return f"{UNDECIDED}: nothing to pair"
    spikes = sum(d.spikes[0] for trial in trials for d in trial.distances)
    how = f"{spikes} events" if trials else ", ".join(sorted({c.decided for c in comparisons}))
    return f"{SAME}: {how}"


def _apart(trial: Trial) -> list[str]:
    """The first three quantities that are furthest apart, in numbers."""
    ranked = sorted(
        trial.distances,
        key=lambda d: (d.spikes[0] == d.spikes[1], -max(d.shift / 1e-4, d.trace / TRACE)),
    )
    return [
        f"{d.name} {d.spikes[0]} and {d.spikes[1]} events, {d.shift * 1e3:.3g} ms"
        if any(d.spikes)
        else f"{d.name} {d.trace:.2%} of the range"
        for d in ranked[:3]
    ]


def apart(work: Callable[[], str], seconds: int) -> str:
    """What `work` returns, computed in a child within `seconds` of CPU (compilers aside)."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(30 * seconds)
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
    lines = [*_matrix(cells, targets), *_models(rows, targets), *_reasons(reasons)]
    return "\n".join(lines) + "\n"


def _models(rows: Sequence[dict[str, Any]], targets: Sequence[str]) -> list[str]:
    """A line for each model, or part of a file that was converted on its own."""
    table: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row["target"] and row["language"]:
            table[row["source"], row["part"]][row["target"]] = _cell(row)
    lines = ["", "## Model by model", "", "*+ losses*: converted with losses that the report states;",
             "a code: refused (or the source is wrong), see [codes.md](codes.md).", "",
             f"| model | {' | '.join(targets)} |", "|---" * (len(targets) + 1) + "|"]  # fmt: skip
    for (source, part), found in table.items():
        name = f"`{source}`" + (f" {part}" if part else "")
        cells = [found.get(target, "") for target in targets]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _cell(row: dict[str, Any]) -> str:
    """Verdict and losses, or the codes of what stopped it."""
    if row["status"] in (EXACT, LOSSY):
        verdict = row.get("behaviour", "").partition(":")[0] or "converted"
        return verdict + (" + losses" if row["status"] == LOSSY else "")
    return ", ".join(dict.fromkeys(item["code"] for item in row["reasons"][:3])) or row["status"]


def _matrix(cells: dict[tuple[str, str], Counter[str]], targets: Sequence[str]) -> list[str]:
    lines = [
        "# The matrix of formats",
        "",
        "Made by `CXXFLAGS=-O0 benchmarks/matrix.py NESTML_DIR NEUROML_DIR NINEML_DIR --work DIR`, all rows",
        "by one version of the code, over published models (NESTML's library, NeuroML2, NineML; invalid",
        "ones too).",
        "",
        "*converted*: nothing lost + with stated losses. *same*: of those that were compared, how many",
        "behave as their source. What is read back: equal in canonical form; else both networks on the",
        f"grid, at most {READ} steps; else components at random points and, where equations have another",
        "form, on a stimulus. SpiNNaker2: the emulator beside the grid; NEST: built and run beside it; both",
        f"at most {COMPILED} steps. *undecided*: not within its limit of time, or no comparison has a",
        "meaning (random draws). The rest is refused with a reason, or the source is wrong. The reasons",
        "are below.",
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
