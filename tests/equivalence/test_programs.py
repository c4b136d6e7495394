"""Time-step programs on the grid: against plain Python that follows the documented order of a step,
and on the chip's emulators against the grid."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import Circuit, EventLink, Group, Probe
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.units import Quantity, Unit
from interspike.exporters.spinnaker2.emit import export
from interspike.solvers.simulate import simulate
from interspike.spinnaker2.emulator import missing_tools, run

S = Unit("s", u.TIME)
H = 1e-4


def assign(target: str, value: str) -> m.Assign:
    return m.Assign(target=target, value=E(value))


def neuron(**changes: Any) -> m.Component:
    """Leaky integrate-and-fire with an alpha current, a delta port and a countdown."""
    fields: dict[str, Any] = dict(
        name="lif",
        parameters=(
            m.Parameter(name="tau", dimension=u.TIME, value=Quantity(0.01, S)),
            m.Parameter(name="ts", dimension=u.TIME, value=Quantity(0.002, S)),
            m.Parameter(name="drive", value=Quantity(0.9)),
        ),
        derived_parameters=(m.DerivedParameter(name="pause", kind=m.INTEGER, value=E("steps(2 ms)")),),
        state_variables=(m.StateVariable(name="v"), m.StateVariable(name="r", kind=m.INTEGER)),
        kernels=(m.Kernel(name="k", value=E("t / ts * exp(1 - t / ts)")),),
        odes=(
            m.Ode(variable="v", rhs=E("(drive + convolve(k, slow) - v) / tau + convolve(delta, fast)")),
        ),
        event_inputs=(
            m.EventPort(name="slow", payload=("weight",)),
            m.EventPort(name="fast", payload=("weight",)),
        ),
        event_outputs=(m.EventPort(name="spike"),),
        update=(
            m.If(
                branches=((E("r > 0"), (assign("r", "r - 1"),)),),
                otherwise=(m.Integrate(variables=("v",)),),
            ),
        ),
        on_conditions=(
            m.OnCondition(
                test=E("v >= 1"),
                body=(assign("v", "0"), assign("r", "pause"), m.Emit(port="spike")),
            ),
        ),
        exposures=(m.Exposure(name="v", variable="v"),),
    )  # fmt: skip
    return m.Component(**{**fields, **changes})


def source(times: tuple[float, ...]) -> m.Component:
    body = (m.Emit(port="out"),)
    return m.Component(
        name="source",
        event_outputs=(m.EventPort(name="out"),),
        timed_events=(m.TimedEvents(times=times, body=body),),
    )


def circuit(cell: m.Component, events: dict[str, tuple[float, tuple[float, ...]]]) -> Circuit:
    groups = [Group(name="cell", component=flatten(cell).component, size=1)]
    links = []
    for port, (weight, times) in events.items():
        groups.append(Group(name=f"to_{port}", component=source(times), size=1))
        links.append(
            EventLink(
                source=f"to_{port}", source_port="out", target="cell", target_port=port,
                pre=np.array([0]), post=np.array([0]), weight=np.array([weight]), delay=np.array([H]),
            )
        )  # fmt: skip
    probes = (Probe(label="v", group="cell", index=0, variable="v"),)
    spikes = (Probe(label="spikes", group="cell", index=0, variable="spike"),)
    return Circuit(
        name="c", groups=tuple(groups), event_links=tuple(links), probes=probes, event_probes=spikes
    )


def reference(
    slow: dict[int, float], fast: dict[int, float], count: int
) -> tuple[list[float], list[int]]:
    """Each step by the book, with the exact solution of the alpha current and the membrane."""
    from scipy.linalg import expm

    tau, ts, h = 0.01, 0.002, H
    # v' = -v/tau + x/tau, x' = -x/ts + y, y' = -y/ts
    a = np.array([[-1 / tau, 1 / tau, 0], [0, -1 / ts, 1], [0, 0, -1 / ts]])
    propagator = expm(a * h)
    v, x, y, r = 0.0, 0.0, 0.0, 0
    trace, spikes = [v], []
    for n in range(1, count + 1):
        new = propagator @ np.array([v, x, y])
        if r > 0:
            r -= 1
        else:
            v = new[0] + 0.9 * (1 - math.exp(-h / tau)) + fast.get(n, 0.0)
        x, y = new[1], new[2] + slow.get(n, 0.0) * math.e / ts
        if v >= 1:
            v, r = 0.0, 20
            spikes.append(n)
        trace.append(v)
    return trace, spikes


def test_order_of_a_step_kernels_delta_and_countdown() -> None:
    slow, fast = (0.01, 0.0125, 0.0126, 0.03), (0.005, 0.0131, 0.0205, 0.0411)
    run = simulate(
        circuit(neuron(), {"slow": (0.7, slow), "fast": (0.3, fast)}),
        mode="grid",
        step=H,
        length=0.06,
    )
    steps = [{round(t / H) + 1: w for t in times} for w, times in ((0.7, slow), (0.3, fast))]
    trace, spikes = reference(steps[0], steps[1], 600)
    assert len(spikes) >= 3
    assert np.allclose(run.traces["v"], trace, rtol=0, atol=1e-13)
    assert [round(t / H) for t in run.events["spikes"]] == spikes


def test_handlers_run_once_per_step_by_priority_with_the_summed_weight() -> None:
    cell = neuron(
        odes=(),
        kernels=(),
        update=(),
        on_conditions=(),
        on_events=(
            m.OnEvent(port="fast", body=(assign("v", "2 * v + weight"),), priority=1),
            m.OnEvent(port="slow", body=(assign("v", "v + 10 * weight"),), priority=2),
        ),
    )
    events = {"slow": (1.0, (0.0101,)), "fast": (0.5, (0.0101, 0.0101))}
    run = simulate(circuit(cell, events), mode="grid", step=H, length=0.02)
    assert run.traces["v"][-1] == 2 * 10.0 + 1.0


def test_locals_loops_and_whole_numbers() -> None:
    cell = neuron(
        odes=(),
        kernels=(),
        on_conditions=(),
        update=(
            m.Declare(name="total", kind=m.INTEGER, value=E("2.7")),
            m.For(
                variable="i", start=E("0"), stop=E("4"), step=E("1"),
                body=(assign("total", "total + i"),),
            ),
            m.While(test=E("total > 5"), body=(assign("total", "total - 2"),)),
            m.If(branches=((E("total < 5"), (assign("v", "v + total / 2"), assign("r", "2.9"))),)),
        ),
    )  # fmt: skip
    run = simulate(circuit(cell, {}), mode="grid", step=H, length=3 * H)
    # 2 + 0 + 1 + 2 + 3 = 8 -> 6 -> 4
    assert list(run.traces["v"]) == [0.0, 2.0, 4.0, 6.0]


def test_an_endless_loop_ends_with_a_message() -> None:
    cell = neuron(odes=(), kernels=(), update=(m.While(test=E("1 > 0"), body=()),))
    with pytest.raises(ModelError, match="S311"):
        simulate(circuit(cell, {}), mode="grid", step=H, length=H)


def test_a_program_has_no_meaning_in_continuous_time() -> None:
    with pytest.raises(ModelError, match="S322"):
        simulate(circuit(neuron(), {}), mode="continuous", step=H, length=0.01)


def everything() -> m.Component:
    """Locals, loops, functions, handlers, whole numbers, a kernel and a nonlinear equation at once."""
    half = m.Function(
        name="half", arguments=(m.Argument(name="x"),), body=(m.Return(value=E("x / 2")),)
    )
    return neuron(
        functions=(half,),
        odes=(
            m.Ode(variable="v", rhs=E("(drive * (1 + v * v / 10) + convolve(k, slow) - v) / tau")),
        ),
        on_events=(
            m.OnEvent(port="fast", body=(assign("v", "v + half(weight) + r % 3 * 0.001"),)),
        ),
        update=(
            m.Declare(name="n", kind=m.INTEGER, value=E("arrived(fast) * 10")),
            m.While(test=E("n > 1"), body=(assign("n", "n / 2"), assign("v", "v + 0.001"))),
            m.For(
                variable="i", start=E("3"), stop=E("0"), step=E("-1"),
                body=(assign("v", "v + i * 1e-5"),),
            ),
            *(neuron().update or ()),
        ),
    )  # fmt: skip


@pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")
@pytest.mark.parametrize("scheme", ["auto", "rkf45"])
@pytest.mark.parametrize("cell", [neuron(), everything()], ids=["linear", "everything"])
def test_the_chip_does_what_the_grid_does(cell: m.Component, scheme: str, tmp_path: Path) -> None:
    events = {"slow": (0.7, (0.01, 0.0125, 0.03)), "fast": (0.3, (0.005, 0.0131, 0.0205, 0.0411))}
    subject = circuit(cell, events)
    from dataclasses import replace

    subject = replace(subject, length=0.06, step=H)
    reference = simulate(subject, mode="grid", scheme=scheme)
    source = m.Provenance(source="model")
    for item in export(subject, scheme=scheme, step=H, source=source, log=Log(), name="model"):
        path = tmp_path / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    results = {b: run(tmp_path, backend=b) for b in ("host", "qemu") if not missing_tools(b)}
    assert all(result.raw == results["host"].raw for result in results.values())
    chip = results["host"]
    assert len(reference.events["spikes"]) >= 2
    assert np.array_equal(
        np.round(chip.events["spikes"] / H), np.round(reference.events["spikes"] / H)
    )
    # float32: 600 steps of at most a few units in the last place of 1
    assert np.abs(chip.traces["v"] - reference.traces["v"]).max() < 2e-5


def test_literals_with_units_mean_the_same_on_the_chip(tmp_path: Path) -> None:
    """The chip computes in mV and ms: a literal of 10 mV or 5 ms is 10 or 5 there."""
    volt = Unit("mV", u.VOLTAGE, 1e-3)
    cell = m.Component(
        name="cell",
        parameters=(m.Parameter(name="E", dimension=u.VOLTAGE, value=Quantity(-70.0, volt)),),
        derived_parameters=(
            m.DerivedParameter(name="top", dimension=u.VOLTAGE, value=E("E + 10 mV")),
        ),
        state_variables=(
            m.StateVariable(name="v", dimension=u.VOLTAGE, initial=E("E")),
            m.StateVariable(name="n", initial=E("0.5")),
        ),
        odes=(
            m.Ode(variable="v", rhs=E("(E + 20 mV - v) / (5 ms)")),
            m.Ode(variable="n", rhs=E("(n * n - v / (1 mV)) / (1 s)")),
        ),
        update=(m.Integrate(),),
        on_conditions=(
            m.OnCondition(
                test=E("v > top + 1 mV"), body=(assign("v", "E - 1 mV"), m.Emit(port="spike"))
            ),
        ),
        event_outputs=(m.EventPort(name="spike"),),
    )
    from dataclasses import replace

    subject = replace(circuit(cell, {}), length=0.05, step=H)
    reference = simulate(subject, mode="grid")
    source = m.Provenance(source="model")
    for item in export(subject, scheme="auto", step=H, source=source, log=Log(), name="model"):
        path = tmp_path / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    if missing_tools("host"):
        pytest.skip("needs make and a C compiler")
    chip = run(tmp_path, backend="host")
    assert len(reference.events["spikes"]) > 3
    assert np.allclose(chip.events["spikes"], reference.events["spikes"], rtol=0, atol=1e-9)
    assert np.allclose(chip.traces["v"], reference.traces["v"], rtol=1e-5)
