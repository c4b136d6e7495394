"""The SpiNNaker2 exporter: what it writes builds cleanly, is deterministic, and refuses by number."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interspike.canonical_model.circuit import Circuit, Group
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.expr import Binary, Call, Name, Number
from interspike.canonical_model.model import (
    Assign,
    Component,
    Emit,
    EventPort,
    Exposure,
    Ode,
    OnCondition,
    Parameter,
    Provenance,
    StateVariable,
)
from interspike.canonical_model.passes.wire import wire
from interspike.canonical_model.units import TIME, VOLTAGE, si_quantity
from interspike.exporters.spinnaker2.c_printer import identifier, literal, print_c
from interspike.exporters.spinnaker2.emit import export
from interspike.importers.lems.reader import read
from interspike.spinnaker2 import memory
from interspike.spinnaker2.emulator import missing_tools, run

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "lems"
MODELS = sorted(p for p in FIXTURES.glob("*.xml")) + sorted((FIXTURES / "constructs").glob("*.xml"))
SOURCE = Provenance(source="model.xml", sha256="0" * 64)
needs_host = pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")
needs_cortex = pytest.mark.skipif(bool(missing_tools("qemu")), reason="needs arm gcc and QEMU")


def circuit_of(path: Path) -> Circuit:
    log = Log()
    return wire(read(path, None, log=log), log)


def write(circuit: Circuit, folder: Path, step: float = 1e-4, scheme: str = "auto") -> Path:
    artifacts = export(circuit, scheme=scheme, step=step, source=SOURCE, log=Log(), name="model")
    for item in artifacts:
        path = folder / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    return folder


def lif(size: int = 1) -> Circuit:
    """tau dv/dt = 30 mV - v from 0, reset to 0 at 20 mV: a spike every tau ln 3."""
    drive = Parameter(name="drive", dimension=VOLTAGE, value=si_quantity(0.03, VOLTAGE))
    component = Component(
        name="lif",
        parameters=(
            drive,
            Parameter(name="tau", dimension=TIME, value=si_quantity(0.01, TIME)),
            Parameter(name="thresh", dimension=VOLTAGE, value=si_quantity(0.02, VOLTAGE)),
        ),
        state_variables=(StateVariable(name="v", dimension=VOLTAGE),),
        odes=(
            Ode(variable="v", rhs=Binary("/", Binary("-", Name("drive"), Name("v")), Name("tau"))),
        ),
        on_conditions=(
            OnCondition(
                test=Binary(">", Name("v"), Name("thresh")),
                body=(Assign(target="v", value=Number(0.0)), Emit(port="spike")),
            ),
        ),
        event_outputs=(EventPort(name="spike"),),
        exposures=(Exposure(name="v", variable="v", dimension=VOLTAGE),),
    )
    from interspike.canonical_model.circuit import Probe

    return Circuit(
        name="net",
        groups=(Group(name="cells", component=component, size=size),),
        probes=(Probe(label="v", group="cells", index=0, variable="v"),),
        event_probes=(Probe(label="s", group="cells", index=0, variable="spike"),),
        length=0.1,
        step=1e-4,
    )


@needs_host
def test_lif_spikes_at_the_analytic_times(tmp_path: Path) -> None:
    result = run(write(lif(), tmp_path))
    expected = 0.01 * np.log(3.0) * np.arange(1, 10)
    # each spike is late by less than a step, and the next starts from there
    assert len(result.events["s"]) == 9
    assert np.all(np.abs(np.diff(result.events["s"]) - 0.01 * np.log(3.0)) <= 1e-4 * 1.001)
    assert abs(result.events["s"][0] - expected[0]) <= 1e-4
    decay = 0.03 * (1 - np.exp(-result.times[:100] / 0.01))
    assert np.allclose(result.traces["v"][:100], decay, rtol=2e-6, atol=1e-9)


@needs_host
@pytest.mark.parametrize("scheme", ["euler", "rk4", "rkf45", "expeuler", "implicit", "exact"])
def test_every_scheme_builds_and_runs(scheme: str, tmp_path: Path) -> None:
    result = run(write(lif(), tmp_path, scheme=scheme))
    assert len(result.events["s"]) == 9


@needs_host
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_fixtures_build_without_a_warning_and_run(path: Path, tmp_path: Path) -> None:
    circuit = circuit_of(path)
    folder = write(circuit, tmp_path, step=circuit.step or 1e-4)
    make = (folder / "Makefile").read_text().replace("-Wall", "-Werror -Wall")
    (folder / "Makefile").write_text(make)
    result = run(folder)
    assert all(np.all(np.isfinite(values)) for values in result.traces.values())


@needs_cortex
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_fixtures_give_the_same_bits_on_the_cortex(path: Path, tmp_path: Path) -> None:
    circuit = circuit_of(path)
    folder = write(circuit, tmp_path, step=circuit.step or 1e-4)
    make = (folder / "Makefile").read_text().replace("-Wall", "-Werror -Wall")
    (folder / "Makefile").write_text(make)
    length = min(circuit.length or 0.1, 2000 * (circuit.step or 1e-4))
    host, cortex = (run(folder, backend=b, length=length) for b in ("host", "qemu"))
    assert host.raw == cortex.raw
    programs = sorted((folder / "build" / "qemu").glob("*.elf"))
    assert programs
    symbols = subprocess.run(
        ["arm-none-eabi-nm", *programs], capture_output=True, text=True, check=True
    ).stdout
    # soft-float double helpers are named __aeabi_d*, conversions __aeabi_f2d and __aeabi_*2d
    assert not re.search(r"__aeabi_(d|f2d|[a-z]+2d)|__(add|sub|mul|div)df3", symbols)


def test_same_input_same_bytes() -> None:
    path = FIXTURES / "izhikevich_network.xml"
    first, second = (
        export(circuit_of(path), scheme="auto", step=1e-4, source=SOURCE, log=Log(), name="m")
        for _ in range(2)
    )
    assert first == second


def test_no_date_and_no_path_in_what_is_written() -> None:
    for item in export(lif(), scheme="auto", step=1e-4, source=SOURCE, log=Log(), name="m"):
        assert str(Path.home()).encode() not in item.data or str(Path.home()) == "/"
        assert not re.search(rb"20[2-9]\d-[01]\d-[0-3]\d", item.data)


def test_a_network_too_large_for_a_pe_is_refused_with_numbers() -> None:
    big = lif(20_000)
    with pytest.raises(ModelError, match=r"T301.*bytes.*one PE has \d+") as caught:
        export(big, scheme="auto", step=1e-4, source=SOURCE, log=Log(), name="m", form="one")
    assert caught.value.refused


def test_values_beyond_single_precision_are_refused_by_name() -> None:
    circuit = lif()
    component = circuit.groups[0].component
    huge = replace(component.parameters[0], value=si_quantity(1e37, VOLTAGE))
    component = replace(component, parameters=(huge, *component.parameters[1:]))
    group = replace(circuit.groups[0], component=component)
    with pytest.raises(ModelError, match=r"T303.*'(drive|c_v)'"):
        export(
            replace(circuit, groups=(group,)),
            scheme="euler", step=1e-4, source=SOURCE, log=Log(), name="m",
        )  # fmt: skip


def test_the_memory_table_is_sound_and_used_by_all_three() -> None:
    assert memory.check() == []
    header, script = memory.c_header(), memory.linker_script()
    assert f"DATA_START {memory.DATA.start:#07x}u" in header
    assert f"ORIGIN = {memory.DTCM.start:#x}, LENGTH = {memory.DTCM.size:#x}" in script
    assert memory.DTCM.end == memory.ERROR_LOG.start


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1f"), (1.0, "1.0f"), (-3.0, "-3.0f"), (1e-30, "1e-30f"), (16777216.0, "16777216.0f")],
)
def test_literals_are_single_and_read_back(value: float, text: str) -> None:
    assert literal(value) == text
    assert np.float32(text.rstrip("f")) == np.float32(value)


def test_names_never_reach_c_unchecked() -> None:
    assert identifier("a;b/*") == "a_b__"
    assert identifier("9 lives") == "x9_lives"
    with pytest.raises(KeyError):
        print_c(Name("system"), {})
    with pytest.raises(ModelError, match="T305"):
        print_c(Call("expdd", (Number(1.0), Number(2.0), Number(3.0))), {})


def test_all_tools_are_named_when_one_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(lif(), tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ModelError, match=r"E101.*arm-none-eabi-gcc"):
        run(tmp_path, backend="qemu")
