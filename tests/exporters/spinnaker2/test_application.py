"""Applications on many PEs: spikes of the grid simulator, bits of QEMU, and refusals with numbers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import AnalogLink, Circuit, EventLink, Group, Probe
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.passes.flatten import flatten
from interspike.canonical_model.units import Dimension, si_quantity
from interspike.exporters.spinnaker2.emit import export
from interspike.exporters.spinnaker2.linear import receiver
from interspike.exporters.spinnaker2.partition import Choices
from interspike.exporters.spinnaker2.words import STOCK, choose_scale, own_word
from interspike.solvers.simulate import simulate
from interspike.spinnaker2 import memory
from interspike.spinnaker2.emulator import missing_tools, run

STEP = 1e-4
SOURCE = m.Provenance(source="model.xml", sha256="0" * 64)
SDK = Path(__file__).resolve().parents[2] / "spinnaker2" / "sdk"
needs_host = pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")
needs_cortex = pytest.mark.skipif(bool(missing_tools("qemu")), reason="needs arm gcc and QEMU")


def parameter(name: str, value: float, dimension: Dimension = u.NONE) -> m.Parameter:
    return m.Parameter(name=name, dimension=dimension, value=si_quantity(value, dimension))


def assign(target: str, value: str) -> m.Assign:
    return m.Assign(target=target, value=E(value))


def lif(**changes: Any) -> m.Component:
    """Leaky integrate-and-fire with an exponential current and a port that adds to the voltage."""
    fields: dict[str, Any] = dict(
        name="lif",
        parameters=(
            parameter("tau", 0.02, u.TIME),
            parameter("ts", 0.005, u.TIME),
            parameter("C", 2e-10, u.CAPACITANCE),
            parameter("drive", 2.5e-10, u.CURRENT),
            parameter("th", 0.015, u.VOLTAGE),
            parameter("kick", 1e-3, u.VOLTAGE),
        ),
        state_variables=(
            m.StateVariable(name="v", dimension=u.VOLTAGE),
            m.StateVariable(name="i", dimension=u.CURRENT),
        ),
        odes=(
            m.Ode(variable="i", rhs=E("-i / ts")),
            m.Ode(variable="v", rhs=E("-v / tau + (i + drive) / C")),
        ),
        on_conditions=(
            m.OnCondition(test=E("v > th"), body=(assign("v", "0 * th"), m.Emit(port="spike"))),
        ),
        on_events=(
            m.OnEvent(port="syn", body=(assign("i", "i + weight * drive"),)),
            m.OnEvent(port="jump", body=(assign("v", "v + kick"),)),
        ),
        event_inputs=(m.EventPort(name="syn", payload=("weight",)), m.EventPort(name="jump")),
        event_outputs=(m.EventPort(name="spike"),),
        exposures=(m.Exposure(name="v", variable="v", dimension=u.VOLTAGE),),
    )
    return m.Component(**{**fields, **changes})


def link(
    source: tuple[str, int], target: tuple[str, int], count: int, weight: float, **changes: Any
) -> EventLink:
    """Random connections with delays of 0 to 20 steps."""
    rng = np.random.default_rng(count)
    fields: dict[str, Any] = dict(
        source=source[0], source_port="spike", target=target[0], target_port="syn",
        pre=rng.integers(0, source[1], count), post=rng.integers(0, target[1], count),
        weight=weight * rng.integers(1, 6, count), delay=STEP * rng.integers(0, 21, count),
    )  # fmt: skip
    return EventLink(**{**fields, **changes})


def two_populations(cell: m.Component | None = None, length: float = 0.1) -> Circuit:
    """30 and 15 cells that excite and inhibit each other."""
    rng = np.random.default_rng(1)
    cell = cell or lif()
    a, b = ("a", 30), ("b", 15)
    groups = tuple(
        Group(name=n, component=cell, size=k, initial={"v": rng.uniform(0, 0.015, k)})
        for n, k in (a, b)
    )
    links = (link(a, b, 100, 0.1), link(b, a, 120, -0.05), link(a, a, 50, 0.03),
             link(b, b, 20, 1.0, target_port="jump"))  # fmt: skip
    return Circuit(
        name="two",
        groups=groups,
        event_links=links,
        probes=(
            Probe(label="v", group="b", index=3, variable="v"),
            Probe(label="i", group="a", index=29, variable="i"),
        ),
        event_probes=tuple(
            Probe(label=f"{n}{k}", group=n, index=k, variable="spike")
            for n, size in (a, b)
            for k in range(size)
        ),
        length=length,
        step=STEP,
    )


def write(circuit: Circuit, folder: Path, log: Log | None = None, **options: Any) -> Path:
    artifacts = export(
        circuit, scheme="auto", step=STEP, source=SOURCE, log=log or Log(), name="net", **options
    )
    for item in artifacts:
        path = folder / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    return folder


def strict(folder: Path) -> Path:
    """Every warning of the compiler is an error."""
    text = (folder / "Makefile").read_text().replace("-Wall", "-Werror -Wall")
    (folder / "Makefile").write_text(text)
    return folder


def assert_same_events(circuit: Circuit, found: Any) -> None:
    truth = simulate(circuit, mode="grid", step=STEP, length=circuit.length)
    total = 0
    for label, times in truth.events.items():
        assert np.array_equal(np.rint(times / STEP), np.rint(found.events[label] / STEP)), label
        total += len(times)
    assert total > 50
    for label, values in truth.traces.items():
        assert np.allclose(values, found.traces[label], rtol=1e-3, atol=2e-6 * np.ptp(values)), (
            label
        )


@needs_host
@pytest.mark.parametrize("neurons", [0, 15, 4])
def test_spikes_are_those_of_the_grid_however_populations_are_spread(
    neurons: int, tmp_path: Path
) -> None:
    circuit = two_populations()
    folder = strict(write(circuit, tmp_path, form="application", choices=Choices(neurons=neurons)))
    pes = json.loads((folder / "layout.json").read_text())["pes"]
    assert len(pes) == {0: 2, 15: 3, 4: 12}[neurons]
    assert_same_events(circuit, run(folder))


@needs_host
def test_time_step_programs_hear_what_is_due_in_their_step(tmp_path: Path) -> None:
    cell = flatten(
        m.Component(
            name="program",
            parameters=(parameter("tau", 0.02, u.TIME), parameter("drive", 1.2)),
            state_variables=(m.StateVariable(name="v"), m.StateVariable(name="r", kind=m.INTEGER)),
            odes=(m.Ode(variable="v", rhs=E("(drive - v) / tau")),),
            event_inputs=(m.EventPort(name="syn", payload=("weight",)),),
            event_outputs=(m.EventPort(name="spike"),),
            on_events=(m.OnEvent(port="syn", body=(assign("v", "v + weight"),)),),
            update=(
                m.If(
                    branches=((E("r > 0"), (assign("r", "r - 1"),)),),
                    otherwise=(m.Integrate(variables=("v",)),),
                ),
            ),
            on_conditions=(
                m.OnCondition(
                    test=E("v >= 1"),
                    body=(assign("v", "0"), assign("r", "20"), m.Emit(port="spike")),
                ),
            ),
            exposures=(m.Exposure(name="v", variable="v"),),
        )
    ).component
    base = two_populations(cell)
    rng = np.random.default_rng(3)
    groups = tuple(replace(g, initial={"v": rng.uniform(0, 1, g.size)}) for g in base.groups)
    links = tuple(replace(item, target_port="syn") for item in base.event_links)
    circuit = replace(base, groups=groups, event_links=links, probes=base.probes[:1])
    folder = strict(write(circuit, tmp_path, form="application", choices=Choices(neurons=10)))
    assert_same_events(circuit, run(folder))


@needs_host
def test_spike_lists_are_packets_of_the_host(tmp_path: Path) -> None:
    base = two_populations()
    lists = tuple(
        Group(
            name=f"in{k}",
            component=m.Component(
                name=f"in{k}",
                event_outputs=(m.EventPort(name="spike"),),
                timed_events=(
                    m.TimedEvents(
                        times=(0.001 * k, 0.02 + 0.003 * k), body=(m.Emit(port="spike"),)
                    ),
                ),
            ),
            size=2,
        )
        for k in range(5)
    )
    links = tuple(link((g.name, 2), ("a", 30), 12 + k, 0.5) for k, g in enumerate(lists))
    probe = Probe(label="in3", group="in3", index=1, variable="spike")
    circuit = replace(
        base,
        groups=(*base.groups, *lists),
        event_links=(*base.event_links, *links),
        event_probes=(*base.event_probes, probe),
    )
    folder = write(circuit, tmp_path, form="application", choices=Choices(neurons=16))
    result = run(folder)
    assert_same_events(circuit, result)
    assert len(result.events["in3"]) == 2


@needs_cortex
def test_bits_of_every_pe_are_those_of_qemu_and_no_double_is_linked(tmp_path: Path) -> None:
    circuit = two_populations(length=0.03)
    folder = strict(write(circuit, tmp_path, form="application", choices=Choices(neurons=15)))
    host, cortex = run(folder), run(folder, backend="qemu")
    assert host.raw == cortex.raw
    assert host.counters == cortex.counters
    programs = sorted((folder / "build" / "qemu").glob("*.elf"))
    names = subprocess.run(
        ["arm-none-eabi-nm", *programs], capture_output=True, text=True, check=True
    ).stdout
    assert programs and not re.search(r"__aeabi_(d|f2d|[a-z]+2d)|__(add|sub|mul|div)df3", names)


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm gcc")
def test_the_chip_layer_compiles_against_the_names_of_the_sdk(tmp_path: Path) -> None:
    folder = write(two_populations(), tmp_path, form="application")
    command = [
        "arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard",
        "-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Wdouble-promotion", "-Werror",
        "-ffreestanding", "-Iruntime", "-I.", f"-I{SDK}", "-DAPP=app_lif", "-c",
    ]  # fmt: skip
    for source in ("apps/lif.c", "runtime/pe.c", "runtime/pe_sdk.c", "runtime/random.c"):
        done = subprocess.run(
            [*command, source, "-o", "out.o"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_words_are_chosen_by_need(tmp_path: Path) -> None:
    assert str(STOCK) == "16 bit: weight 4, delay 3, type 1, index 8"
    assert own_word(32, 21, 3, 256) is not None
    assert own_word(16, 200, 2, 256) is None
    base = two_populations()
    exact = tuple(
        replace(item, weight=np.full(len(item.pre), 0.5), delay=np.full(len(item.pre), 3 * STEP))
        for item in base.event_links[:1]
    )
    write(replace(base, event_links=exact), tmp_path, form="application")
    assert "16 bit" in json.loads((tmp_path / "layout.json").read_text())["apps"][0]["word"]


def test_the_error_of_quantised_weights_is_stated(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    base = two_populations()
    links = tuple(replace(x, weight=rng.normal(1, 0.1, len(x.pre))) for x in base.event_links)
    log = Log()
    circuit = replace(base, event_links=links)
    write(circuit, tmp_path, log, form="application", choices=Choices(word="16", neurons=8))
    found = [issue.message for issue in log if issue.code == "T203"]
    assert found and "of the largest weight" in found[0]
    weights = np.abs(rng.normal(1, 0.1, 1000))
    scale = choose_scale(weights, 255)
    assert scale.worst <= 0.5 * scale.unit * (1 + 1e-9)
    assert choose_scale(np.array([0.3, 0.6, 0.45]), 15).worst == 0.0


def test_what_events_may_not_be_summed_is_named() -> None:
    saturating = lif(
        on_events=(m.OnEvent(port="syn", body=(assign("i", "i + weight * (1 - i)"),)),)
    )
    reason = receiver(saturating, ["syn"])
    assert isinstance(reason, str) and "'i'" in reason
    assert not isinstance(receiver(lif(), ["syn", "jump"]), str)


def test_refusals_name_their_numbers(tmp_path: Path) -> None:
    base = two_populations()
    for much in (1e9, 1e300):  # which no run reaches, and no chip's integer holds
        never = replace(base.event_links[0], delay=np.full(100, much))
        with pytest.raises(ModelError, match=r"T312.*2147483647 ticks"):
            write(replace(base, event_links=(never,)), tmp_path, form="application")
    late = replace(base.event_links[0], delay=np.full(100, 9000 * STEP))
    with pytest.raises(ModelError, match=r"T312.*9000 ticks.*8192"):
        write(replace(base, event_links=(late,)), tmp_path, form="application")
    broken = replace(base.event_links[0], weight=np.full(100, np.nan))
    with pytest.raises(ModelError, match=r"T313.*finite"):
        write(replace(base, event_links=(broken,)), tmp_path, form="application")
    large = replace(base.event_links[0], weight=np.full(100, 1e39))
    with pytest.raises(ModelError, match=r"T303.*single precision"):
        write(replace(base, event_links=(large,)), tmp_path)
    many = link(("a", 30), ("b", 1), 40_000, 1.0)
    with pytest.raises(ModelError, match=r"T314.*needs \d+ bytes"):
        write(replace(base, event_links=(many,)), tmp_path, form="application")
    gap = AnalogLink(
        source="a", variable="v", target="b", input="x", pre=np.array([0]), post=np.array([0])
    )
    with pytest.raises(ModelError, match=r"T311.*takes part in events"):
        write(replace(base, analog_links=(gap,)), tmp_path, form="application")


@needs_host
def test_long_runs_read_records_in_parts(tmp_path: Path) -> None:
    base = two_populations(length=0.4)
    voltages = tuple(Probe(label=f"v{k}", group="a", index=k, variable="v") for k in range(30))
    circuit = replace(base, probes=voltages)
    folder = write(circuit, tmp_path, form="application")
    layout = json.loads((folder / "layout.json").read_text())
    assert layout["pes"][0]["rows"] < layout["ticks"] == 4000
    result = run(folder)
    assert len(result.traces["v0"]) == 4001
    assert_same_events(circuit, result)


def test_memory_is_accounted_for(tmp_path: Path) -> None:
    write(two_populations(), tmp_path, form="application")
    for pe in json.loads((tmp_path / "layout.json").read_text())["pes"]:
        assert pe["sram"]["used"] + pe["sram"]["free"] == memory.DATA.size
        assert pe["sram"]["free"] >= 0


def with_currents(base: Circuit) -> Circuit:
    """One pulse shared by all cells of both populations, and a ramp with a state for some."""
    cell = lif(
        odes=(
            m.Ode(variable="i", rhs=E("-i / ts")),
            m.Ode(variable="v", rhs=E("-v / tau + (i + drive + outside) / C")),
        ),
        analog_inputs=(m.AnalogInput(name="outside", dimension=u.CURRENT, reduce="add"),),
    )
    pulse = m.Component(
        name="pulse",
        parameters=(
            parameter("start", 0.01, u.TIME),
            parameter("stop", 0.06, u.TIME),
            parameter("height", 1e-10, u.CURRENT),
        ),
        derived_variables=(
            m.DerivedVariable(
                name="i", dimension=u.CURRENT, value=E("height * (heaviside((t - start) / stop))")
            ),
        ),
        exposures=(m.Exposure(name="i", variable="i", dimension=u.CURRENT),),
    )
    ramp = m.Component(
        name="ramp",
        parameters=(parameter("rate", 1e-9, u.CURRENT / u.TIME),),
        state_variables=(m.StateVariable(name="i", dimension=u.CURRENT),),
        odes=(m.Ode(variable="i", rhs=E("rate")),),
        exposures=(m.Exposure(name="i", variable="i", dimension=u.CURRENT),),
    )
    sources = (
        Group(
            name="pulse", component=pulse, size=2, parameters={"height": np.array([1e-10, 5e-11])}
        ),
        Group(name="ramp", component=ramp, size=1),
    )

    def feed(source: str, target: str, pre: list[int], post: list[int]) -> AnalogLink:
        return AnalogLink(
            source=source, variable="i", target=target, input="outside",
            pre=np.array(pre), post=np.array(post),
        )  # fmt: skip

    everyone = list(range(30))
    feeds = (
        feed("pulse", "a", [k % 2 for k in everyone], everyone),
        feed("pulse", "b", [1, 1, 0], [3, 14, 3]),
        feed("ramp", "b", [0] * 4, [0, 3, 7, 14]),
    )
    groups = tuple(replace(group, component=cell) for group in base.groups)
    probes = (
        *base.probes,
        Probe(label="ramp", group="ramp", index=0, variable="i"),
        Probe(label="pulse", group="pulse", index=0, variable="i"),
    )
    return replace(base, groups=(*groups, *sources), analog_links=feeds, probes=probes)


@needs_host
def test_current_sources_are_copied_to_the_pes_that_they_feed(tmp_path: Path) -> None:
    circuit = with_currents(two_populations())
    folder = strict(write(circuit, tmp_path, form="application", choices=Choices(neurons=8)))
    assert len(json.loads((folder / "layout.json").read_text())["pes"]) == 6
    result = run(folder)
    assert_same_events(circuit, result)
    if not missing_tools("qemu"):
        cortex = run(folder, backend="qemu", length=0.02)
        assert cortex.raw == run(folder, length=0.02).raw
