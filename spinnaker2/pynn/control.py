"""PyNN's functions that set up and control a simulation."""

from __future__ import annotations

from typing import Any

from pyNN import common
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from pyNN.recording import get_io

from ...canonical_model.diagnostics import Issue, error, suggest
from . import simulator
from .simulator import Options

BACKENDS = ("host", "qemu", "reference")
POISSON = ("auto", "chip", "host")


def setup(
    timestep: float = DEFAULT_TIMESTEP,
    min_delay: float | str = DEFAULT_MIN_DELAY,
    *,
    backend: str = "host",
    solver: str = "second",
    seed: int = 1,
    poisson: str = "auto",
    folder: str | None = None,
    **extra_params: Any,
) -> int:
    """Begin anew; times in ms. Arguments of other back ends are accepted and not used.

    `backend`: `host` and `qemu` run the chip's program on the emulator, compiled for this computer or
    for the chip's core; `reference` is the float64 simulator on the same grid. `solver`: as of
    `interspike convert`, or `second`: as `auto`, of order 2 where that takes exponential Euler.
    `seed`: of everything drawn during the run. `poisson`: whether Poisson sources draw on the chip or are
    drawn beforehand (`auto`: on the chip, for `reference` beforehand). `folder`: where the chip's program
    is to be kept.
    Raises ModelError Y101 for an unknown choice.
    """
    _check("backend", backend, BACKENDS)
    _check("poisson", poisson, POISSON)
    max_delay = extra_params.get("max_delay", DEFAULT_MAX_DELAY)
    common.setup(timestep, min_delay, **extra_params)
    state = simulator.state
    state.options = Options(backend, solver, seed, poisson, folder)
    state.clear()
    state.dt = float(timestep)
    state.wanted_min_delay = min_delay
    state.wanted_max_delay = max_delay
    state.mpi_rank, state.num_processes = 0, 1
    return state.mpi_rank


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        hint = suggest(value, known) or ", ".join(known)
        raise error("Y101", f"setup() has no {name} '{value}'", hint=hint)


def end(compatible_output: bool = True) -> None:
    """Write what was to be written to files at the end."""
    for population, variables, filename in simulator.state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state.write_on_end = []


def issues() -> tuple[Issue, ...]:
    """What the runs since setup() approximated, refused or want to be known."""
    return tuple(simulator.state.log)


run, run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)
