"""NESTML 9's own neurons on SpiNNaker2: built, run on both emulators, and set beside float64.

Each neuron gets a constant current and spikes at each of its ports, as in `nestml_agreement.py`. Writes
`docs/nestml_spinnaker2.md`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nestml_drives import DRIVES
from nestml_trial import LENGTH, Drive, H, driven

PAGE = Path(__file__).resolve().parents[1] / "docs" / "nestml_spinnaker2.md"
MEMBRANE = ("V_m", "V_m_rel", "V_abs", "phase")
NEAR = 1.5e-3  # s: around a spike of either side, a trace that jumps a step off is not compared


@dataclass(frozen=True, slots=True)
class Row:
    """One neuron: how it is solved, its spikes, the two emulators, deviations from float64."""

    model: str
    solver: str
    spikes: tuple[int, int]  # chip, float64
    bits: str
    shift: float  # steps
    name: str
    worst: float  # of the membrane's range, away from spikes
    rms: float
    words: int


def main() -> None:
    """Build, run, compare; write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--library", type=Path, default=Path(sys.prefix, "models", "neurons"))
    options.add_argument("--only", nargs="*", default=[], help="models; then no page is written")
    arguments = options.parse_args()
    rows = []
    for path in sorted(arguments.library.glob("*.nestml")):
        if arguments.only and path.stem not in arguments.only:
            continue
        rows.append(compare(path))
        print(_line(rows[-1]), flush=True)
    if not arguments.only:
        PAGE.write_text(page(rows))


def compare(path: Path) -> Row:
    """One neuron on the chip's emulators and on the float64 grid."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.model import Provenance
    from interspike.exporters.spinnaker2.emit import export
    from interspike.importers.nestml.reader import read
    from interspike.solvers.simulate import simulate
    from interspike.spinnaker2.emulator import missing_tools, run

    component = read(path, log=Log()).components[0]
    circuit = driven(component, DRIVES.get(path.stem, Drive()))
    reference = simulate(circuit, mode="grid")
    source = Provenance(source=path.name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for item in export(
            circuit, scheme="auto", step=H * 1e-3, source=source, log=Log(), name="trial"
        ):
            place = folder / item.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(item.data)
        found = {b: run(folder, backend=b) for b in ("host", "qemu") if not missing_tools(b)}
    chip = found["host"]
    bits = "QEMU is not here"
    if "qemu" in found:
        bits = "equal" if found["qemu"].raw == chip.raw else "differ"
    ours, theirs = chip.events["spikes"], reference.events["spikes"]
    shift = float("inf")
    if len(ours) == len(theirs):
        shift = float(np.abs(ours - theirs).max(initial=0.0)) / (H * 1e-3)
    label, worst, rms = _membrane(chip, reference)
    schemes = dict.fromkeys(note.rsplit(": ", 1)[-1] for note in reference.notes)
    return Row(
        path.stem.removesuffix("_neuron"), ", ".join(schemes), (len(ours), len(theirs)), bits,
        shift, label, worst, rms, len(circuit.groups[0].component.state_variables),
    )  # fmt: skip


def _membrane(chip: Any, reference: Any) -> tuple[str, float, float]:
    """The name of the membrane's trace, its largest deviation away from spikes, and the rms, over its range."""
    label = next((name for name in MEMBRANE if name in chip.traces), next(iter(chip.traces)))
    wanted = reference.traces[label]
    values = np.interp(reference.times, chip.times, chip.traces[label])
    scale = float(np.ptp(wanted)) or 1.0
    off = np.abs(values - wanted) / scale
    still = np.ones(len(off), dtype=bool)
    for time in (*chip.events["spikes"], *reference.events["spikes"]):
        still &= np.abs(reference.times - time) > NEAR
    quiet = off[still]
    worst = float(quiet.max()) if len(quiet) else float("nan")
    return label, worst, float(np.sqrt(np.mean(off**2)))


def _line(row: Row) -> str:
    spikes = (
        str(row.spikes[0]) if row.spikes[0] == row.spikes[1] else " / ".join(map(str, row.spikes))
    )
    shift = "counts differ" if row.shift == float("inf") else f"{row.shift:.1f}"
    cells = (
        row.model, row.solver, str(row.words), spikes, row.bits, shift, row.name, f"{row.worst:.1e}",
        f"{row.rms:.1e}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def page(rows: list[Row]) -> str:
    """The documentation page."""
    same = sum(row.bits == "equal" for row in rows)
    near = sum(row.shift <= 1.001 for row in rows)
    return f"""# NESTML 9's neurons on SpiNNaker2

Written by `python benchmarks/nestml_spinnaker2.py`. Each of the {len(rows)} neurons that NESTML 9 installs is
converted and built for SpiNNaker2 and run on both emulators: the program for the host, and the ARM program
under QEMU. One cell gets a constant current from 10 to 160 ms and 40 spikes on each port, steps of {H} ms,
{LENGTH:g} ms in all, as on the page `nestml_agreement.md`. The chip computes in single precision (float32);
the reference is our simulator in double precision (float64), on the same grid with the same solver.

All bits of both emulators are equal for {same} of {len(rows)}; spikes are within one step of float64 for
{near} of {len(rows)}. `hh_cond_exp_destexhe` draws noise in each step, from another generator on the chip than
in float64 (its noise is switched off here).

"spikes": chip and float64, one number where they agree. "shift": the largest distance of a spike, in steps.
"worst": the largest deviation of the quantity named, over its range, further than 1.5 ms from any spike;
"rms" is over all steps, spikes included.

| model | solver | states | spikes | host and QEMU | shift | quantity | worst | rms |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(_line(row) for row in rows)}
"""


if __name__ == "__main__":
    main()
