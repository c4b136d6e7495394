"""Generated classes for py-spinnaker2: what they would send is run on the emulator."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.circuit import Circuit, EventLink, Group, Probe
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.expr_text import parse_expr as E
from interspike.canonical_model.units import si_quantity
from interspike.exporters.spinnaker2.emit import export
from interspike.exporters.spinnaker2.partition import Choices
from interspike.spinnaker2 import emulator, machine
from interspike.spinnaker2.memory import DATA

FAKE = Path(__file__).resolve().parent / "fake"
STEP = 1e-4
UNIT = 0.05
pytestmark = pytest.mark.skipif(
    bool(emulator.missing_tools("host")), reason="needs make and a C compiler"
)


def cell() -> m.Component:
    def parameter(name: str, value: float, dimension: u.Dimension) -> m.Parameter:
        return m.Parameter(name=name, dimension=dimension, value=si_quantity(value, dimension))

    return m.Component(
        name="cell",
        parameters=(
            parameter("tau", 0.02, u.TIME),
            parameter("ts", 0.005, u.TIME),
            parameter("C", 2e-10, u.CAPACITANCE),
            parameter("drive", 2.5e-10, u.CURRENT),
            parameter("th", 0.015, u.VOLTAGE),
        ),
        derived_parameters=(
            m.DerivedParameter(name="half", dimension=u.CURRENT, value=E("drive / 2")),
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
            m.OnCondition(
                test=E("v > th"),
                body=(m.Assign(target="v", value=E("0 * th")), m.Emit(port="spike")),
            ),
        ),
        on_events=(
            m.OnEvent(port="syn", body=(m.Assign(target="i", value=E("i + weight * half")),)),
        ),
        event_inputs=(m.EventPort(name="syn", payload=("weight",)),),
        event_outputs=(m.EventPort(name="spike"),),
        exposures=(m.Exposure(name="v", variable="v", dimension=u.VOLTAGE),),
    )


SIZES = {"a": 30, "b": 15}


def network() -> tuple[Circuit, dict[str, Any], list[tuple[str, str, Any]]]:
    """The circuit, initial voltages, and connections in units of the synapse word."""
    rng = np.random.default_rng(5)
    initial = {name: rng.uniform(0, 0.015, size) for name, size in SIZES.items()}
    drives = {name: rng.uniform(2.2e-10, 3e-10, size) for name, size in SIZES.items()}
    links, tables = [], []
    for source, target, count, sign in (("a", "b", 100, 1), ("b", "a", 90, -1), ("a", "a", 60, 1)):
        pre, post = rng.integers(0, SIZES[source], count), rng.integers(0, SIZES[target], count)
        # the unit itself is among the weights: both sides find the same scale
        weight = sign * np.concatenate([[1], rng.integers(1, 16, count - 1)])
        delay = rng.integers(0, 8, count)
        tables.append((source, target, np.stack([pre, post, weight, delay], axis=1).tolist()))
        links.append(
            EventLink(source=source, source_port="spike", target=target, target_port="syn",
                      pre=pre, post=post, weight=UNIT * weight, delay=STEP * delay)
        )  # fmt: skip
    component = cell()
    circuit = Circuit(
        name="net",
        groups=tuple(
            Group(name=name, component=component, size=size, initial={"v": initial[name]},
                  parameters={"drive": drives[name]})
            for name, size in SIZES.items()
        ),
        event_links=tuple(links),
        probes=tuple(
            Probe(label=f"{n}{k}v", group=n, index=k, variable="v")
            for n, s in SIZES.items()
            for k in range(s)
        ),
        event_probes=tuple(
            Probe(label=f"{n}{k}", group=n, index=k, variable="spike")
            for n, s in SIZES.items()
            for k in range(s)
        ),
        length=0.03,
        step=STEP,
    )  # fmt: skip
    params = {
        name: {"drive": drives[name] * 1e12, "v": initial[name] * 1e3,
               "w_scale_exc": UNIT, "w_scale_inh": UNIT}
        for name in SIZES
    }  # fmt: skip
    return circuit, params, tables


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    circuit, _, _ = network()
    source = m.Provenance(source="model.xml", sha256="0" * 64)
    for item in export(
        circuit, scheme="auto", step=STEP, source=source, log=Log(), name="net",
        form="application", choices=Choices(neurons=15),
    ):  # fmt: skip
        path = tmp_path / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    return tmp_path


@pytest.fixture
def fake(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The generated class with the stand-in package in place of py-spinnaker2."""
    names = ("spinnaker2", "host", "numeric", "cell_application")

    def forget() -> None:
        for name in list(sys.modules):
            if name.split(".")[0] in names:
                del sys.modules[name]

    forget()
    monkeypatch.syspath_prepend(str(FAKE))
    monkeypatch.syspath_prepend(str(exported))
    yield importlib.import_module("cell_application").cellApplication
    forget()


def image_of(config: Any) -> bytes:
    """The memory from DATA.start on as the host would have written it."""
    end = max(address + len(words) for address, words in config.to_send.items())
    memory = np.zeros(end - DATA.start // 4, "<u4")
    for address, words in config.to_send.items():
        memory[address - DATA.start // 4 :][: len(words)] = words
    return memory.tobytes()


def test_what_the_class_sends_runs_as_the_export_does(exported: Path, fake: Any) -> None:
    from spinnaker2.mapper import Mapper

    from spinnaker2 import snn

    circuit, params, tables = network()
    truth = emulator.run(exported)
    pops = {n: snn.Population(s, fake, params[n], n, ["spikes", "v"]) for n, s in SIZES.items()}
    net = snn.Network("net")
    net.add(*pops.values(), *(snn.Projection(pops[a], pops[b], table) for a, b, table in tables))
    mapper = Mapper(net, 15)
    settings = {"timer_period": 100, "n_simulation_ticks": round(circuit.length / STEP)}
    configs = [fake().pe_config(pe, mapper, settings, False) for pe in mapper.slices]
    assert {"SPIKE_RECORD", "VOLTAGE_RECORD", "TIME_DONE_RECORD", "LOG", "error_log"} <= configs[
        0
    ].to_read.keys()
    layout = json.loads((exported / "layout.json").read_text())
    assert "16 bit" in layout["apps"][0]["word"]
    layout["routes"] = [[pe * 256, 0xFFFFFF00, mapper.targets(pe)] for pe in mapper.slices]
    data = [image_of(config) for config in configs]
    place = exported / "build" / "host"
    sent = machine.list_packets(exported)
    ticks = settings["n_simulation_ticks"]
    (place / "machine.bin").write_bytes(
        machine.machine_file(layout, data, sent, ticks, frozenset())
    )
    emulator._execute([str(place / "program"), "machine.bin"], place)
    records = machine.read_records(place / "records.bin")
    numbers = {pe: mapper.key_offsets[pe] for pe in mapper.slices}
    total = 0
    for pe, part in mapper.slices.items():
        rows = records.words(numbers[pe], machine.SPIKES).reshape(ticks, 3)
        for k in range(part.size()):
            found = (np.flatnonzero(rows[:, 2] >> k & 1) + 1) * STEP
            assert np.allclose(found, truth.events[f"{part.pop.name}{part.start + k}"])
            total += len(found)
        values = (
            records.words(numbers[pe], machine.TRACES).reshape(ticks + 1, -1)[:, 1:].view("<f4")
        )
        label = f"{part.pop.name}{part.start}v"
        assert np.array_equal(values[:, 0].astype(float) * 1e-3, truth.traces[label])
    assert total > 50


def test_mistakes_of_the_user_are_named(exported: Path, fake: Any) -> None:
    with pytest.raises(ValueError, match=r"no parameter.*taum"):
        fake().neuron_words({"taum": 1.0}, 0, 2, 2)
    with pytest.raises(ValueError, match="common to all neurons"):
        fake().neuron_words({"th": [1.0, 2.0]}, 0, 2, 2)


def test_what_is_recorded_and_drawn_is_as_asked(exported: Path, fake: Any) -> None:
    from spinnaker2.mapper import Mapper

    from spinnaker2 import snn

    def globals_of(record: list[str], **params: Any) -> tuple[list[list[int]], int]:
        net = snn.Network("net")
        net.add(snn.Population(30, fake, params, "a", record))
        settings = {"timer_period": 100, "n_simulation_ticks": 20}
        configs = [fake().pe_config(pe, Mapper(net, 15), settings, False) for pe in (0, 1)]
        data = [np.frombuffer(image_of(config), "<u4") for config in configs]
        at = [(int(words[4]) - 0xE900) // 4 for words in data]
        found = [words[a : a + 25].tolist() for words, a in zip(data, at, strict=True)]
        return found, configs[0].to_read["VOLTAGE_RECORD"].size

    (first, second), size = globals_of(["v_last", "time_done"], seed=7)
    assert (first[2], size) == (2, 16) and first[10] != second[10]
    (every, _), size = globals_of(["v"])
    assert (every[2], size) == (1, 20 * 16)
    assert globals_of(["v"], seed=7)[0][0][10] == first[10]
    with pytest.raises(ValueError, match="cannot record 'x_mean'; it has"):
        globals_of(["x_mean"])
    with pytest.raises(ValueError, match="not both"):
        globals_of(["v", "v_last"])
    assert fake.regions["ROUTING_TABLE"].value == 1 and fake.regions["LOG"].value == 11


def test_too_long_a_record_is_refused_with_numbers(exported: Path, fake: Any) -> None:
    from spinnaker2.mapper import Mapper

    from spinnaker2 import snn

    net = snn.Network("net")
    net.add(snn.Population(15, fake, {}, "a", ["v"]))
    with pytest.raises(MemoryError, match=r"needs \d+ bytes.*a PE has \d+"):
        fake().pe_config(
            0, Mapper(net, 15), {"timer_period": 100, "n_simulation_ticks": 5000}, False
        )


def test_the_class_describes_its_model_without_the_package(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit, _, _ = network()
    monkeypatch.syspath_prepend(str(exported))
    for name in ("host", "numeric", "cell_application", "spinnaker2"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = importlib.import_module("cell_application").cellApplication
    assert found.default_parameters["tau"] == pytest.approx(20.0)
    assert found.units["v"] == "mV"
    with pytest.raises(RuntimeError, match="spinnaker2"):
        found()
    assert replace(circuit).name == "net"
    for name in ("host", "numeric", "cell_application"):
        sys.modules.pop(name, None)


def test_weights_are_quantized_with_a_stated_error(exported: Path, fake: Any) -> None:
    application = fake()
    rng = np.random.default_rng(2)
    first = np.stack([np.arange(50), np.arange(50), rng.normal(1, 0.3, 50), np.full(50, 0.3)], 1)
    second = np.stack([np.arange(5), np.arange(5), -rng.uniform(0.1, 4, 5), np.zeros(5)], 1)
    (a, b), scales, report = application.quantize(first, second)
    assert a.shape == (50, 4) and b.shape == (5, 4)
    assert a[:, 2].max() == 15 and b[:, 2].min() == -15
    assert np.all(a[:, 3] == 3)
    off = np.abs(a[:, 2] * scales["w_scale_exc"] - first[:, 2])
    assert off.max() <= 0.5 * scales["w_scale_exc"] * 1.0001
    assert 0 < report["rms"] < report["largest"] <= 0.5 / 15
    with pytest.raises(ValueError, match=r"delays of 0 to 0.9 ms.*0 to 0.7 ms"):
        application.quantize([[0, 0, 1.0, 0.9], [0, 0, 1.0, 0.0]])
    with pytest.raises(ValueError, match="not a finite"):
        application.quantize([[0, 0, np.nan, 0.0]])


def test_a_third_receptor_type_is_refused(exported: Path, fake: Any) -> None:
    class Three(fake):  # type: ignore[misc]
        receptors = (("a", 1), ("b", 1), ("c", -1))

    with pytest.raises(ValueError, match=r"3 receptor types: a \(\+\), b \(\+\), c \(-\)"):
        Three()


def test_inputs_of_left_out_sources_keep_their_defaults(exported: Path, fake: Any) -> None:
    class Fed(fake):  # type: ignore[misc]
        inputs = (0.5,)
        sources = (("pulse", 6),)

    with pytest.warns(UserWarning, match="pulse"):
        application = Fed()
    words, inputs, table = application._without_sources(3, 100)
    assert inputs == 100 and np.array(words[:3], "<u4").view("<f4").tolist() == [0.5] * 3
    starts = 100 + 4 * 3
    assert words[(table - 100) // 4 :] == [0, 0, 0, 0, starts, starts]
    assert words[3 : (table - 100) // 4] == [0, 0]


@pytest.mark.parametrize(
    ("number", "build", "place"),
    [("0.7.2", "Makefile", "application.applications"),
     ("0.8.0", "CMakeLists.txt", "register_application")],
)  # fmt: skip
def test_registration_follows_the_version(
    exported: Path, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    number: str, build: str, place: str,
) -> None:  # fmt: skip
    import registration
    import spinnaker2.neuron_models.application as table

    import spinnaker2
    from spinnaker2 import neuron_models

    known: dict[str, Any] = {}
    monkeypatch.setattr(spinnaker2, "__version__", number, raising=False)
    monkeypatch.setattr(spinnaker2, "__file__", str(tmp_path / "installed" / "__init__.py"))
    if number < "0.8":
        monkeypatch.setattr(table, "applications", known, raising=False)
    else:
        monkeypatch.setattr(neuron_models, "register_application", known.__setitem__, raising=False)
    assert registration.register(fake).endswith(place)
    assert known == {"cell": fake}
    for _ in range(2):
        folder = registration.install(fake, exported)
    text = (folder / build).read_text()
    named = [word for word in text.replace("$(ROOT)/", "").split() if word.endswith(".c")]
    assert (folder / "apps" / "cell.c").exists() and any("cell.c" in word for word in named)
    assert ".." not in text
    monkeypatch.setattr(registration, "HOOKS", (registration.Hook((0, 0), "x", "Makefile", ()),))
    with pytest.raises(RuntimeError, match="elsewhere"):
        registration.register(fake)
