"""NESTML 9's own model library, three ways: its generated modules in NEST, ours in NEST, ours on the grid.

Each model gets a constant current and spikes at each of its ports; spike times and all states are compared.
Beside it, in the same run, what it costs to analyse a model and to generate its code. Writes
`docs/nestml_agreement.md`. The modules of NESTML 9 are kept in a cache folder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import nestml_peer as peer
import numpy as np
from measure import best
from nestml_drives import CONTROLS, DRIVES, REMARKS, Control
from nestml_trial import LENGTH, Drive, H, Run, in_nest, on_grid

PAGE = Path(__file__).resolve().parents[1] / "docs" / "nestml_agreement.md"
TIGHT = 1e-8
SUFFIX = "_nestml9"
IMPORTS = peer.GENERATE.split("job =")[0]


@dataclass(frozen=True, slots=True)
class Difference:
    """The state that differs most from the peer's, relative to its own largest value there."""

    worst: float
    name: str
    same_spikes: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One model: spikes by side, differences to NESTML 9's module, CPU seconds."""

    model: str
    control: str
    spikes: Mapping[str, int]
    nest: Difference
    tight: Difference | None
    grid: Difference
    tight_grid: Difference | None
    exact: bool
    analysis: float
    generation: float
    peer: float


def main() -> None:
    """Build, run, compare; write the page."""
    cache, files, is_whole = peer.library_options(__doc__)
    start = best([sys.executable, "-P", "-c", IMPORTS], times=3).cpu
    rows = []
    for path in files:
        controls = [None, *(c for stem, c in CONTROLS.items() if stem == path.stem)]
        for control in controls:
            rows.append(compare(path, cache, start, control))
            print(_line(rows[-1]), flush=True)
    if is_whole:
        PAGE.write_text(page(rows))


def compare(path: Path, cache: Path, start: float, control: Control | None) -> Row:
    """One model three ways. `start`: what NESTML takes before it reads the model, CPU seconds."""
    from interspike.nest.load import prepare

    drive = DRIVES.get(path.stem, Drive())
    if control is not None:
        drive = replace(drive, values={**drive.values, **control.values}, start=control.start)
    theirs = _theirs(path, cache, control)
    component, exact, analysis = analyse(path)
    generation = _generation(path)
    ours = prepare(path, solver="rkf45", cache=cache / "ours")
    names = {"theirs": f"{path.stem}{SUFFIX}", "ours": ours.models[0]}
    modules = [theirs.file, ours.file]
    runs = in_nest(modules, names, component, drive)
    tight = None if exact else in_nest(modules, names, component, drive, TIGHT)
    grid = on_grid(component, drive, "auto" if exact else "rkf45")
    fine = None if exact else on_grid(component, drive, "rkf45", TIGHT)
    cost = theirs.generated.cpu - start if theirs.generated else float("nan")
    return Row(
        model=path.stem,
        control=control.label if control else "",
        spikes={side: len(run.spikes) for side, run in (*runs.items(), ("grid", grid))},
        nest=difference(runs["theirs"], runs["ours"]),
        tight=difference(tight["theirs"], tight["ours"]) if tight else None,
        grid=difference(runs["theirs"], grid),
        tight_grid=difference(tight["theirs"], fine) if tight and fine else None,
        exact=exact,
        analysis=analysis,
        generation=generation,
        peer=cost,
    )  # fmt: skip


def _theirs(path: Path, cache: Path, control: Control | None) -> peer.Peer:
    """NESTML 9's module, of an edited text where the control says so."""
    if control is None or not control.edits:
        return peer.make([path], cache, path.stem, SUFFIX)
    text = path.read_text(encoding="utf-8")
    for old, new in control.edits:
        assert old in text, f"{path.stem} has no '{old}'"
        text = text.replace(old, new)
    edited = cache / "edited" / path.name
    edited.parent.mkdir(parents=True, exist_ok=True)
    edited.write_text(text, encoding="utf-8")
    return peer.make([edited], cache, f"{path.stem}_edited", SUFFIX)


def analyse(path: Path) -> tuple[Any, bool, float]:
    """The component, whether all its equations are solved exactly, and the CPU seconds of the second
    reading (the first pays for imports): parsed, checked, equations classified, propagators derived."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.passes.timegrid import on_grid as grid_form
    from interspike.canonical_model.passes.wire import wire
    from interspike.canonical_model.verify import verify_model
    from interspike.importers.nestml.reader import read
    from interspike.solvers.planner import plan_update

    spent = 0.0
    for _ in range(2):
        begin = time.process_time()
        model = read(path, log=Log())
        assert not verify_model(model)
        circuit = wire(model, Log())
        plan = plan_update(grid_form(circuit, H * 1e-3).groups[0].component, step=H * 1e-3)
        spent = time.process_time() - begin
    exact = all(block.scheme == "exact" for block in plan.blocks)
    return model.components[0], exact, spent


def _generation(path: Path) -> float:
    """CPU seconds from the file to the sources of a NEST module, imports not counted."""
    from interspike.app.convert import convert

    spent = 0.0
    for _ in range(2):
        begin = time.process_time()
        convert(path, to="nest", solver="rkf45")
        spent = time.process_time() - begin
    return spent


def difference(theirs: Run, ours: Run) -> Difference:
    """How far `ours` is from `theirs`."""
    worst, name, missing = 0.0, "", []
    for key, wanted in theirs.traces.items():
        found = ours.traces.get(key)
        if found is None:
            missing.append(key)
            continue
        scale = float(np.abs(wanted).max()) or 1.0
        off = float(np.abs(found - wanted).max()) / scale
        if off > worst or np.isnan(off):
            worst, name = off, key
    same = len(theirs.spikes) == len(ours.spikes) and bool(
        np.all(np.abs(theirs.spikes - ours.spikes) < H / 10)
    )
    return Difference(worst, name, same, tuple(missing))


def _shown(item: Difference) -> str:
    text = f"{item.worst:.1e} ({item.name})" if item.name else "0"
    text += "" if item.same_spikes else ", spikes differ"
    return text + (f", missing: {', '.join(item.missing)}" if item.missing else "")


def _line(row: Row) -> str:
    spikes = list(dict.fromkeys(row.spikes.values()))
    count = str(spikes[0]) if len(spikes) == 1 else " / ".join(map(str, row.spikes.values()))
    kind = "exact" if row.exact else "solver"
    name = row.model.removesuffix("_neuron")
    first = f"... {row.control}" if row.control else name
    tight = _shown(row.tight) if row.tight else ""
    remark = "" if row.control else REMARKS.get(row.model, "")
    fine = _shown(row.tight_grid) if row.tight_grid else ""
    cells = (first, kind, count, _shown(row.nest), tight, _shown(row.grid), fine, remark)
    return f"| {' | '.join(cells)} |"


def page(rows: list[Row]) -> str:
    """The documentation page."""
    head = f"""# NESTML 9's model library, three ways

Written by `benchmarks/nestml_agreement.py`. Each neuron of the library that NESTML 9 installs runs as
(a) the module that NESTML 9 generates, in NEST; (b) our module, in NEST; (c) the imported model in our grid
simulator. All get a constant current from 10 to 160 ms and 40 spikes on each port; steps of {H} ms,
{LENGTH:g} ms in all. Deviations are the largest of all recordable quantities and all steps, divided by the
largest value of that quantity in (a). Spike times are the same on the grid where nothing else is said.

"exact": all equations have propagators. The others use adaptive Runge-Kutta-Fehlberg with tolerances of 1e-6
on all sides; the columns at {TIGHT:g} show what is no matter of the solver. A spike's upstroke multiplies
the error of a step: where deviations fall with the tolerance, all sides solve the same equations in the
same order, and only the steps that the solver chooses differ. Rows with dots repeat the model
above without what NESTML 9 does otherwise than it documents (the remark says what).

| model | equations | spikes | (a)-(b) | (a)-(b) at {TIGHT:g} | (a)-(c) | (a)-(c) at {TIGHT:g} | remark |
|---|---|---|---|---|---|---|---|
"""
    return head + "\n".join(_line(row) for row in rows) + "\n" + _speed(rows)


def _speed(rows: list[Row]) -> str:
    rows = [row for row in rows if not row.control]
    head = """
## CPU time

Seconds on one shared computer, without start of Python and imports. "analysis": the model parsed,
checked, its equations classified and propagators derived. "generation": from the file to C++ for NEST.
NESTML 9: from the file to C++, measured when its module was made (it is kept), a process for each model.

| model | NESTML 9 | our analysis | times less | our generation | times less |
|---|---|---|---|---|---|
"""
    lines = []
    for row in rows:
        a, g = row.peer / row.analysis, row.peer / row.generation
        lines.append(
            f"| {row.model.removesuffix('_neuron')} | {row.peer:.1f} | {row.analysis:.3f} | {a:.0f} "
            f"| {row.generation:.3f} | {g:.0f} |"
        )
    total = [sum(getattr(row, key) for row in rows) for key in ("peer", "analysis", "generation")]
    middle = [
        median(row.peer / getattr(row, key) for row in rows) for key in ("analysis", "generation")
    ]
    lines.append(
        f"| all | {total[0]:.0f} | {total[1]:.2f} | {total[0] / total[1]:.0f} | {total[2]:.2f} "
        f"| {total[0] / total[2]:.0f} |"
    )
    lines.append(f"| median of the ratios | | | {middle[0]:.0f} | | {middle[1]:.0f} |")
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
