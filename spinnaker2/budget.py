"""What a tick costs on the chip: cycles of a Cortex-M4F against the clock. An estimate, stated as such.

Per neuron it counts operations with the cycles of ARM's table; packets and synaptic events cost what was
counted under QEMU. What an emulator cannot see (bus contention, bank conflicts) is a flat allowance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLOCKS = (150e6, 300e6)  # Hz, the two performance levels
TICK_CYCLES = 400  # timer interrupt, records, receiving nothing
ALLOWANCE = (
    1.2  # measured against simple benchmarks of the chip: 15 to 20 % more than the core alone
)
PER_INSTRUCTION = 25.6  # ticks of QEMU's timer for one instruction
PES_PER_CHIP = 148


@dataclass(frozen=True, slots=True)
class PeProfile:
    """One PE: memory (bytes, `free` before records), instructions per tick (QEMU, else 0), missed ticks."""

    pe: int
    population: str
    neurons: int
    used: int
    free: int
    packets: int
    events: int
    instructions: float
    cycles: float
    most_cycles: float
    missed: tuple[int, ...]


def tick_cycles(neurons: int, per_neuron: float, dynamic: Any = 0.0) -> Any:
    """Cycles of a tick: `per_neuron` without allowance, `dynamic` for packets and synaptic events."""
    return ALLOWANCE * (TICK_CYCLES + neurons * per_neuron + dynamic)


def neurons_in_time(per_neuron: float, step: float, clock: float) -> int:
    """Neurons that a tick of `step` seconds holds if no packets come."""
    return max(0, int((clock * step / ALLOWANCE - TICK_CYCLES) / per_neuron))


def profile(
    layout: dict[str, Any],
    counters: tuple[dict[str, int], ...],
    time_done: tuple[NDArray[np.uint32], ...],
    backend: str,
) -> list[PeProfile]:
    """Figures of every PE after a run on the emulator."""
    if layout.get("form") != "application":
        return [_profile_of_one(layout)]
    found = []
    for number, (entry, status, done) in enumerate(
        zip(layout["pes"], counters, time_done, strict=True)
    ):
        cost = layout["apps"][entry["app"]]["cost"]
        size = entry["stop"] - entry["start"]
        words = done.astype(float)
        if backend == "qemu":
            instructions = words / PER_INSTRUCTION
            cycles = ALLOWANCE * instructions * cost["cycles"] / max(cost["instructions"], 1.0)
        else:
            instructions = np.zeros(1)
            cycles = tick_cycles(size, cost["cycles"], words + entry.get("attached_cycles", 0.0))
        found.append(
            PeProfile(
                pe=number,
                population=entry["population"],
                neurons=size,
                used=entry["sram"]["used"],
                free=entry["sram"]["free"],
                packets=status["packets"],
                events=status["synaptic_events"],
                instructions=float(instructions.mean()),
                cycles=float(cycles.mean()),
                most_cycles=float(cycles.max()),
                missed=tuple(int(np.sum(cycles > clock * layout["step_s"])) for clock in CLOCKS),
            )
        )
    return found


def _profile_of_one(layout: dict[str, Any]) -> PeProfile:
    """A network that lives on one PE as a whole: by the estimate, packets do not count."""
    cycles = one_tick_cycles(layout["groups"])
    late = (layout["ticks"] if cycles > clock * layout["step_s"] else 0 for clock in CLOCKS)
    return PeProfile(
        pe=0,
        population="all",
        neurons=sum(group["size"] for group in layout["groups"]),
        used=layout["sram"]["used"],
        free=layout["sram"]["free"],
        packets=0,
        events=0,
        instructions=0.0,
        cycles=cycles,
        most_cycles=cycles,
        missed=tuple(late),
    )


def one_tick_cycles(groups: list[dict[str, Any]]) -> float:
    """Cycles of a tick of a network on one PE, without events."""
    work = sum(group["size"] * group["cost"]["cycles"] for group in groups)
    return float(tick_cycles(1, work))


def _fit_of_group(layout: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
    """How many of a group would fit the one PE in place of the group as it is."""
    cost, step = group["cost"], layout["step_s"]
    others = [item for item in layout["groups"] if item is not group]
    taken = sum(item["size"] * item["cost"]["cycles"] for item in others)
    free = layout["sram"]["free"] + group["size"] * group["bytes"]
    return {
        "program": group["name"],
        "neurons": group["size"],
        "pes": 1,
        "synapses": layout["synapses"],
        "word": "all on one core",
        "instructions": cost["instructions"],
        "cycles": cost["cycles"],
        "bytes_per_neuron": group["bytes"],
        "fit_in_memory": int(free / group["bytes"]),
        "fit_in_time": {
            f"{clock / 1e6:g} MHz": max(
                0, int((clock * step / ALLOWANCE - TICK_CYCLES - taken) / max(cost["cycles"], 1.0))
            )
            for clock in CLOCKS
        },
    }


def fit_rows(layout: dict[str, Any], data_bytes: int) -> list[dict[str, Any]]:
    """What fits, by program: neurons per PE by time and by memory, PEs that the network takes."""
    if layout.get("form") != "application":
        return [_fit_of_group(layout, group) for group in layout["groups"]]
    rows = []
    for number, app in enumerate(layout["apps"]):
        pes = [pe for pe in layout["pes"] if pe["app"] == number]
        neurons = sum(pe["stop"] - pe["start"] for pe in pes)
        synapses = sum(pe["synapses"] for pe in pes)
        row_bytes = sum(pe["sram"]["rows"] for pe in pes) / max(1, neurons)
        per_neuron = app["neuron_bytes"] + row_bytes
        rows.append(
            {
                "program": app["name"],
                "neurons": neurons,
                "pes": len(pes),
                "synapses": synapses,
                "word": app["word"],
                "instructions": app["cost"]["instructions"],
                "cycles": app["cost"]["cycles"],
                "bytes_per_neuron": round(per_neuron, 1),
                "fit_in_memory": int((data_bytes - 1024) / per_neuron),
                "fit_in_time": {
                    f"{clock / 1e6:g} MHz": neurons_in_time(
                        app["cost"]["cycles"] + app["attached_cycles"], layout["step_s"], clock
                    )
                    for clock in CLOCKS
                },
            }
        )
    return rows
