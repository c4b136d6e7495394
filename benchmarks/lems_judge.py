"""What we write as LEMS, run by jNeuroML; writes docs/lems_jneuroml.md.

    python benchmarks/lems_judge.py FOLDER... --work DIR [-o docs/lems_jneuroml.md]

A LEMS document with a simulation runs in jNeuroML as it is and as we write it. A component of another
language runs alone, under the stimulus of `verify`, in jNeuroML and on the reference simulator. Results are
kept in the work folder, those of one version of the code: a call goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from interspike.app.convert import convert
from interspike.app.load import load, load_bytes
from interspike.app.simulate import simulate
from interspike.app.subjects import alone
from interspike.canonical_model.diagnostics import ModelError
from interspike.canonical_model.model import Component, Model
from interspike.canonical_model.network import Experiment
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.passes.partners import is_synapse
from interspike.canonical_model.serial import dumps
from matrix import _draws
from measure import ROOT, jneuroml, version
from numpy.typing import NDArray
from round_trips import sources

Floats = NDArray[np.float64]
STEP, LENGTH = 1e-5, 0.15  # s: jLEMS integrates by Euler's method
SECONDS = 300  # limit of one run
REFUSED, FAILED, INVALID = "refused", "failed", "the source fails"


class Unrunnable(Exception):
    """jNeuroML did not run a file: its words."""


@dataclass(slots=True)
class Played:
    """Event times (s) by name, and columns of numbers by file and place."""

    events: dict[str, list[float]] = field(default_factory=dict)
    columns: dict[str, Floats] = field(default_factory=dict)


def main() -> None:
    """Run what has not been run; write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/lems_jneuroml.md")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    store, code = arguments.work / "judged.json", version()
    known: dict[str, dict[str, str]] = {}
    if store.exists():
        kept = json.loads(store.read_text())
        known = kept["rows"] if kept["code"] == code else {}
    seen: set[str] = set()
    for folder in arguments.folders:
        for path in sources(folder):
            place = str(path.relative_to(folder))
            if place not in known:
                known[place] = dict(judged(path, folder, seen))
                print(place, known[place], flush=True)
                store.write_text(json.dumps({"code": code, "rows": known}, indent=1))
    arguments.output.write_text(page(known), encoding="utf-8")


def judged(path: Path, folder: Path, seen: set[str]) -> Iterator[tuple[str, str]]:
    """What there is to run in a file and has not been seen in another, and what became of it."""
    try:
        source = load(path, search_path=(folder,))
    except ModelError as problem:
        yield "", f"{INVALID}: {problem.issues[0].code} {problem.issues[0].message}"
        return
    if source.provenance.language in ("LEMS", "NeuroML2"):
        experiment = source.network.experiment if source.network else None
        if experiment and (experiment.recordings or experiment.events):
            yield "", guarded(lambda: both_documents(path, folder, source, experiment))
        return
    for item in source.components:
        meaning = dumps(Model(name="", components=(item,)))
        is_open = any(p.value is None for p in flatten(item).component.parameters)
        if meaning not in seen and not is_open and not is_synapse(item) and not _draws(source):
            seen.add(meaning)
            yield item.name, guarded(lambda item=item: component(source, item))


def guarded(work: object) -> str:
    """What `work` says, or why it could not."""
    try:
        return work()  # type: ignore[operator, no-any-return]
    except Unrunnable as problem:
        return f"{FAILED}: {problem}"
    except ModelError as problem:
        return f"{REFUSED}: {problem.issues[0].code} {problem.issues[0].message}"


def both_documents(path: Path, folder: Path, source: Model, experiment: Experiment) -> str:
    """A document in jNeuroML beside the one that we write."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "source"
        shutil.copytree(folder / path.relative_to(folder).parts[0], copy)
        original = copy / Path(*path.relative_to(folder).parts[1:])
        place = Path(name) / "written"
        convert(source, to="lems", output=place).write(place)
        for file in {r.file for r in (*experiment.recordings, *experiment.events)}:
            for start in (original.parent, place):
                (start / file).parent.mkdir(parents=True, exist_ok=True)
        try:
            theirs = play(original)
        except Unrunnable as problem:
            return f"{INVALID}: {problem}"
        ours = play(place / document(place))
    return apart(theirs, ours, experiment.step or 1e-4)


def component(source: Model, item: Component) -> str:
    """A component alone: the reference simulator beside jNeuroML."""
    model = alone(source, item, LENGTH, STEP)
    network = model.network
    assert network is not None and network.experiment is not None
    experiment = network.experiment
    named = replace(
        experiment,
        recordings=tuple(replace(r, file="trace.dat") for r in experiment.recordings),
        events=tuple(
            replace(e, label=f"e{k}", file="events.spikes", format="ID_TIME")
            for k, e in enumerate(experiment.events)
        ),
    )
    trains = {c.name: _train(c) for c in model.components if c.timed_events}
    model = replace(
        model,
        components=tuple(trains.get(c.name, c) for c in model.components),
        network=replace(
            network,
            experiment=named,
            projections=tuple(
                replace(p, source_port="spike", weight=None) for p in network.projections
            ),
        ),
    )
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "written"
        convert(model, to="lems", output=place).write(place)
        theirs = play(place / document(place))
    own = simulate(model, mode="grid", solver="euler")
    ours = Played(events={str(k): list(own.events[e.label]) for k, e in enumerate(named.events)})
    for run in (ours, theirs):  # what one has in its last steps the other may have just after them
        for train in run.events.values():
            train[:] = [time for time in train if time < LENGTH - 5 * STEP]
    return apart(ours, theirs, STEP)


def _train(source: Component) -> Component:
    """The same times from NeuroML's own type."""
    times = "".join(
        f'<spike id="s{k}" time="{t:.9g}s"/>' for k, t in enumerate(source.timed_events[0].times)
    )
    text = f'<neuroml id="trains"><spikeArray id="{source.name}">{times}</spikeArray></neuroml>'
    return load_bytes(text.encode(), file="trains.nml").component(source.name)


def document(place: Path) -> str:
    """The file with the simulation."""
    return next(
        str(p.relative_to(place))
        for p in sorted(place.rglob("*.xml"))
        if b"<Target" in p.read_bytes()
    )


def play(path: Path) -> Played:
    """Run a document with jNeuroML in its folder. Raises Unrunnable with the engine's words."""
    jar = jneuroml()
    assert jar is not None, "jNeuroML (in pyNeuroML) is not installed"
    before = set(path.parent.rglob("*"))
    command = [
        "java", "-Xmx900m", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
        "-jar", str(jar), path.name, "-nogui",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=path.parent, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Unrunnable(f"not within {SECONDS} s") from None
    said = done.stdout + done.stderr
    if done.returncode or "ERROR" in said:
        lines = [line for line in said.splitlines() if "ERROR" in line or "rror:" in line]
        raise Unrunnable(" ".join(" ".join(lines or said.splitlines()[-1:]).split())[:250])
    played = Played()
    for file in sorted(set(path.parent.rglob("*")) - before):
        if file.is_file() and file.suffix not in (".xml", ".nml", ".json"):
            _collect(file, played)
    return played


def _collect(file: Path, played: Played) -> None:
    """One file of results: rows of numbers, or events of names and times."""
    lines = (line.strip() for line in file.read_text().splitlines())
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    if not rows or not _number(rows[0][-1]):
        return  # what else a simulator writes
    widths = {len(row) for row in rows}
    times = [row[0] for row in rows]
    if widths == {2} and not _rises([float(time) for time in times if _number(time)], len(rows)):
        for name, time in (row if _number(row[1]) else row[::-1] for row in rows):
            played.events.setdefault(f"{name}", []).append(float(time))
        return
    table = np.array([[float(cell) for cell in row] for row in rows])
    for k in range(1, table.shape[1]):
        played.columns[f"{file.name} {k}"] = table[:, k]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rises(values: Sequence[float], count: int) -> bool:
    """Are these the times of samples?"""
    return len(values) == count > 2 and all(a < b for a, b in pairwise(values))


def apart(one: Played, other: Played, step: float) -> str:
    """Events and their largest distance in steps, or what differs."""
    counts = {
        name: (len(one.events.get(name, [])), len(other.events.get(name, [])))
        for name in sorted({*one.events, *other.events})
    }
    total = sum(first for first, _ in counts.values())
    unequal = {name: pair for name, pair in counts.items() if pair[0] != pair[1]}
    if unequal:
        name, (first, second) = next(iter(unequal.items()))
        return f"different: {len(unequal)} of {len(counts)} trains, '{name}' {first} and {second}"
    shift = max((_shift(one.events, other.events, name) for name in counts), default=0.0)
    text = f"{total} events" + (f", {shift / step:.1f} steps" if total else "")
    missing = sorted(set(one.columns) - set(other.columns))
    if missing:
        return f"different: {len(missing)} of {len(one.columns)} traces are missing"
    worst = max((_worst(one.columns[k], other.columns[k]) for k in one.columns), default=0.0)
    return f"same: {text}" + (f"; {len(one.columns)} traces, {worst:.1e}" if one.columns else "")


def _shift(
    one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], name: str
) -> float:
    pair = [np.sort(np.array(events.get(name, []))) for events in (one, other)]
    return float(np.max(np.abs(pair[0] - pair[1]), initial=0.0))


def _worst(one: Floats, other: Floats) -> float:
    """The largest difference as a share of the range, or of the size of what hardly moves."""
    count = min(len(one), len(other))
    one, other = one[:count], other[:count]
    size = max(float(np.ptp(one)), 0.01 * float(np.abs(one).max(initial=0.0)), 1e-300)
    return float(np.abs(one - other).max(initial=0.0)) / size


def page(known: dict[str, dict[str, str]]) -> str:
    """The rows as Markdown."""
    rows = [
        f"| `{place}` | {part} | {text.replace('|', '/').replace('<', '&lt;')} |"
        for place, parts in known.items()
        for part, text in parts.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


HEAD = f"""# LEMS that we write, in jNeuroML

Made by `benchmarks/lems_judge.py NESTML_DIR NINEML_DIR NEUROML_DIR --work DIR`. A LEMS document with a
simulation runs in jNeuroML as it is and as we write it: events, the largest distance of their times in
steps; the largest difference of a trace as a share of its range. A component of another language runs alone
under the stimulus of `verify`, steps of {STEP * 1e3:g} ms, in jNeuroML and on our reference simulator, both
by Euler's method. Left out are synapses, components that draw random numbers, classes without values, and
files that differ from one before in their language or in what they record only.

| file | component | result |
|---|---|---|
"""


if __name__ == "__main__":
    main()
