"""Instructions per neuron and tick under QEMU: generated programs against hand-written ones.

Both run in the same runtime, on 128 neurons with two receptor types; what a tick costs without neurons is
subtracted. Counting is exact: QEMU's clock advances with the number of instructions.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import spinnaker2_models as models
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Component, Provenance
from interspike.exporters.spinnaker2.emit import export
from interspike.exporters.spinnaker2.partition import Choices
from interspike.spinnaker2.emulator import run

HANDWRITTEN = Path(__file__).resolve().parent / "handwritten"
TICKS = 300
PER_INSTRUCTION = 25.6  # ticks of a 25 MHz timer in 1024 ns
CASES = {
    "lif": (models.lif, "auto"),
    "izhikevich_euler": (models.izhikevich, "euler"),
    "izhikevich_rk4": (models.izhikevich, "rk4"),
    "adex": (models.adex, "euler"),
    "hh": (models.hh, "expeuler"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """Instructions per neuron and tick, and spikes of all neurons."""

    instructions: float
    spikes: int


def measure(component: Component, scheme: str, program: str = "") -> Count:
    """A run of TICKS ticks; `program` names a hand-written one that takes the place of the generated."""
    step = 1e-4
    circuit = models.population(component, TICKS * step, step)
    source = Provenance(source=component.name, sha256="0" * 64)
    artifacts = export(
        circuit, scheme=scheme, step=step, source=source, log=Log(), name=component.name,
        choices=Choices(neurons=models.SIZE),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for item in artifacts:
            path = folder / item.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(item.data)
        if program:
            text = (HANDWRITTEN / f"{program}.c").read_text()
            target = folder / "apps" / f"{component.name}.c"
            target.write_text(
                text.replace("PROGRAM(", f"#define app_hand app_{component.name}\nPROGRAM(")
            )
            shutil.copy(HANDWRITTEN / "common.h", folder / "runtime" / "common.h")
        result = run(folder, backend="qemu")
    done = np.concatenate(result.time_done).astype(float) / PER_INSTRUCTION
    rows = np.frombuffer(result.raw["events.bin"], np.uint32).reshape(TICKS, -1)[:, 2:]
    spikes = int(np.unpackbits(np.ascontiguousarray(rows).view(np.uint8)).sum())
    return Count(float(done.mean()) / models.SIZE, spikes)


def compare(name: str) -> tuple[float, float, Count, Count]:
    """Generated and hand-written instructions per neuron and tick, without the tick's own."""
    build, scheme = CASES[name]
    own = measure(build(), scheme)
    hand = measure(build(), scheme, name)
    empty = measure(build(), scheme, "empty")
    return own.instructions - empty.instructions, hand.instructions - empty.instructions, own, hand


def main() -> None:
    """Print the table of benchmarks/README.md."""
    print("| model | generated | hand-written | ratio | spikes |")
    print("|---|---|---|---|---|")
    for name in sys.argv[1:] or CASES:
        own, hand, first, second = compare(name)
        print(
            f"| {name} | {own:.1f} | {hand:.1f} | {own / hand:.3f} | {first.spikes}, {second.spikes} |"
        )


if __name__ == "__main__":
    main()
