"""What the chip would need: instructions under QEMU against hand-written programs, and the estimates."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.model import Provenance
from interspike.exporters.spinnaker2.emit import export
from interspike.exporters.spinnaker2.partition import Choices
from interspike.spinnaker2.budget import fit_rows, profile, tick_cycles
from interspike.spinnaker2.emulator import missing_tools, run
from interspike.spinnaker2.memory import DATA

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def bench() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("bench_spinnaker2")
    finally:
        sys.path.remove(str(BENCHMARKS))


def layout_of(circuit: Any, folder: Path, step: float, log: Log, **options: Any) -> Any:
    for item in export(
        circuit,
        scheme="auto",
        step=step,
        source=Provenance(source="m", sha256="0" * 64),
        log=log,
        name="m",
        form="application",
        **options,
    ):
        path = folder / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    return json.loads((folder / "layout.json").read_text())


@pytest.mark.skipif(bool(missing_tools("qemu")), reason="needs arm gcc and QEMU")
@pytest.mark.parametrize("name", ["lif", "izhikevich_euler", "izhikevich_rk4", "adex", "hh"])
def test_generated_code_is_not_slower_than_hand_written(
    bench: Any, name: str, tmp_path: Path
) -> None:
    generated, hand, first, second = bench.compare(name)
    assert generated / hand <= 1.0
    # the same model: the same number of spikes
    assert first.spikes == second.spikes > 0
    build, scheme = bench.CASES[name]
    circuit = bench.models.population(build(), 0.01, 1e-4)
    artifacts = export(
        circuit, scheme=scheme, step=1e-4, source=Provenance(source="m"), log=Log(), name="m"
    )
    layout = next(json.loads(a.data) for a in artifacts if a.path == "layout.json")
    estimate = layout["apps"][0]["cost"]["instructions"]
    assert 0.85 <= estimate / generated <= 1.2


def test_a_thousand_lif_neurons_fit_a_pe_at_1_ms_and_150_mhz(bench: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    import numpy as np
    from interspike.canonical_model.circuit import EventLink

    base = bench.models.population(bench.models.lif(), 0.02, 1e-3)
    size = 1000
    everyone = np.arange(size)
    links = tuple(
        EventLink(
            source="cells", source_port="spike", target="cells", target_port=port,
            pre=everyone, post=everyone, weight=np.full(size, 1.0), delay=np.full(size, 1e-3),
        )
        for port in ("exc", "inh")
    )  # fmt: skip
    circuit = replace(base, groups=(replace(base.groups[0], size=size),), event_links=links)
    log = Log()
    layout = layout_of(circuit, tmp_path, 1e-3, log, choices=Choices(neurons=size))
    assert len(layout["pes"]) == 1
    assert not [issue for issue in log if issue.code == "T316"]
    assert tick_cycles(size, layout["apps"][0]["cost"]["cycles"]) < 150_000
    row = fit_rows(layout, DATA.size)[0]
    assert row["fit_in_time"]["150 MHz"] >= 1000 and row["fit_in_memory"] >= 1000


def test_a_tick_that_cannot_be_met_is_announced_before_anything_is_built(
    bench: Any, tmp_path: Path
) -> None:
    log = Log()
    circuit = bench.models.population(bench.models.hh(), 0.005, 1e-5)
    layout_of(circuit, tmp_path, 1e-5, log, choices=Choices(neurons=128))
    found = [issue.message for issue in log if issue.code == "T316"]
    assert found and "150 MHz (1500)" in found[0]


@pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")
def test_a_profile_counts_memory_packets_and_missed_ticks(bench: Any, tmp_path: Path) -> None:
    circuit = bench.models.population(bench.models.lif(), 0.03, 1e-4)
    layout = layout_of(circuit, tmp_path, 1e-4, Log(), choices=Choices(neurons=64))
    result = run(tmp_path)
    rows = profile(layout, result.counters, result.time_done, "host")
    assert [row.neurons for row in rows] == [64, 64]
    assert all(row.used + row.free == DATA.size for row in rows)
    # every neuron spikes twice at the same time, and both PEs hear their own half on two ports
    assert rows[0].packets == 128
    assert rows[0].events == 256
    assert rows[0].most_cycles > rows[0].cycles
    assert rows[0].missed[0] >= rows[0].missed[1]


@pytest.mark.skipif(bool(missing_tools("host")), reason="needs make and a C compiler")
def test_a_network_on_one_pe_has_its_figures_too(bench: Any, tmp_path: Path) -> None:
    circuit = bench.models.population(bench.models.hh(), 0.005, 1e-5)
    log = Log()
    source = Provenance(source="m", sha256="0" * 64)
    for item in export(
        circuit, scheme="auto", step=1e-5, source=source, log=log, name="m", form="one"
    ):
        path = tmp_path / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    assert [i for i in log if i.code == "T316" and "150 MHz (1500)" in i.message]
    layout = json.loads((tmp_path / "layout.json").read_text())
    result = run(tmp_path, length=1e-4)
    row = profile(layout, result.counters, result.time_done, "host")[0]
    assert row.neurons == 128 and row.used + row.free == DATA.size
    assert row.cycles > 1500 and row.missed == (500, 500)
    fit = fit_rows(layout, DATA.size)[0]
    assert fit["fit_in_time"]["150 MHz"] < 128 < fit["fit_in_memory"]


def test_lost_events_are_an_error(tmp_path: Path) -> None:
    import struct

    from interspike.canonical_model.diagnostics import ModelError
    from interspike.spinnaker2.emulator import STREAMS, _read_records

    for name in STREAMS:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "status.bin").write_bytes(struct.pack("<2I", 10, 3))
    layout = {"step_s": 1e-4, "traces": [], "events": [], "first": 0}
    with pytest.raises(ModelError, match=r"E106.*3 events were lost"):
        _read_records(tmp_path, layout, 10)
