"""The published LEMS and NeuroML models as NESTML: accepted by NESTML 9, and the same spikes when read back.

Each model is exported; each of its cells is read back from the NESTML text and takes the place of the
original in the same network (connections, weights, delays, what drives it). Both networks run on the grid
with one step and one solver, and are compared with the original in continuous time. Writes
`docs/lems_to_nestml.md`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "lems_to_nestml.md"
MODELS = ROOT.parent / "shared" / "models" / "neuroml"
MAX_STEPS = 20_000  # of one run: longer ones take a coarser step
LONGEST = {
    "17_pospischil_rs": 0.25,
    "22_circadian_clock_sbml": 25.0,
    "05_fitzhugh_nagumo": 60.0,
}  # s
USUAL = 0.12  # s: the others, but for those that run for seconds
FLOOR = 1e-4  # s: cells with channels are run at this step at most


@dataclass(frozen=True, slots=True)
class Row:
    """One published model."""

    case: str
    models: int
    lines: int
    accepted: str
    spikes: int
    shift: float  # of spikes read back, in steps, from those in continuous time
    own_shift: float  # the same of the original on the grid
    trace: float  # rms deviation of the worst recorded quantity over its range
    own_trace: float
    step: float  # s
    length: float  # s
    left_out: str


def main() -> None:
    """Export, read back, run, compare; write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--models", type=Path, default=MODELS)
    options.add_argument(
        "--only", nargs="*", default=[], help="cases by number; no page is written"
    )
    arguments = options.parse_args()
    cases = json.loads((arguments.models / "MANIFEST.json").read_text())["cases"]
    chosen = [c for c in cases if not arguments.only or c["case"][:2] in arguments.only]
    rows, texts = [], {}
    for case in chosen:
        row, own = compare(case["case"], arguments.models / case["case"] / case["file"])
        rows.append(row)
        texts.update({f"m{case['case'][:2]}_{name}": text for name, text in own.items()})
        print(_line(row), flush=True)
    found = judged(texts)
    if found is not None:
        rows = [replace(row, accepted=_verdict(row, found)) for row in rows]
    if not arguments.only:
        PAGE.write_text(page(rows))
    else:
        print("\n".join(f"{name}: {said}" for name, said in (found or {}).items() if said))


def compare(case: str, path: Path) -> tuple[Row, dict[str, str]]:
    """One model: its texts, and both runs."""
    from interspike.app import load
    from interspike.canonical_model.diagnostics import LOSSES, Log
    from interspike.exporters.nestml.emit import export
    from interspike.exporters.nestml.prepare import cells_of
    from interspike.solvers.simulate import simulate

    model = load.load(path, log=Log())
    log = Log()
    files = export(
        model, scheme="auto", step=FLOOR, source=model.provenance, log=log, name=model.name
    )
    texts = {file.path.removesuffix(".nestml"): file.data.decode() for file in files}
    circuit = cells_of(model, Log())
    usual = circuit.length if circuit.length > 2.0 else USUAL
    length = min(circuit.length, LONGEST.get(case, usual))
    step = min(max(circuit.step, length / MAX_STEPS), max(FLOOR, circuit.step))
    circuit = replace(_watched(circuit), length=length, step=step, seed=1)
    back = read_back(circuit)
    truth = simulate(circuit, mode="continuous", length=length, step=step, seed=1)
    ours = simulate(back, mode="grid", length=length, step=step, seed=1)
    own = simulate(circuit, mode="grid", length=length, step=step, seed=1)
    spikes, shift = _spikes(truth, ours, step)
    gone = {i.code for i in log if i.level in LOSSES}
    row = Row(
        case, len(texts), sum(text.count("\n") for text in texts.values()), "not asked", spikes,
        shift, _spikes(truth, own, step)[1], _traces(truth, ours), _traces(truth, own), step, length, ", ".join(sorted(gone)),
    )  # fmt: skip
    return row, texts


def _watched(circuit: Any) -> Any:
    """The circuit with the events of each cell recorded."""
    from interspike.canonical_model.circuit import Probe

    probes = [
        Probe(label=f"{group.name}[{k}]/{port.name}", group=group.name, index=k, variable=port.name)
        for group in circuit.groups
        for port in group.component.event_outputs
        for k in range(min(group.size, 5))
    ]
    return replace(circuit, event_probes=tuple(probes))


def read_back(circuit: Any) -> Any:
    """The circuit with each cell replaced by what its NESTML text says."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.passes.wire import wire
    from interspike.exporters.nestml.emit import component_text, prepare_model
    from interspike.exporters.nestml.prepare import cell_component
    from interspike.importers.nestml.reader import read

    names: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    groups = []
    for group in circuit.groups:
        if group.host:
            groups.append(group)
            continue
        component = cell_component(group, circuit, Log())
        prepared = prepare_model(component, Log(), set())
        _, text = component_text(component, Log(), taken=set())
        found = wire(read(None, text.encode(), file=group.name, log=Log()), Log())
        names[group.name] = prepared.context.names
        outputs[group.name] = prepared.output
        groups.append(
            replace(
                group,
                component=found.groups[0].component,
                parameters=_renamed(group.parameters, prepared.context.names, found),
                initial=_renamed(group.initial, prepared.context.names, found),
            )
        )
    return _rewired(replace(circuit, groups=tuple(groups)), names, outputs)


def _renamed(values: Mapping[str, Any], names: Any, found: Any) -> dict[str, Any]:
    component = found.groups[0].component
    known = {item.name for item in (*component.parameters, *component.state_variables)}
    return {names[name]: value for name, value in values.items() if names[name] in known}


def _rewired(circuit: Any, names: Mapping[str, Any], outputs: Mapping[str, str]) -> Any:
    """Links and probes by the names that the texts use; a model in NESTML sends by one port."""

    def own(group: str, name: str) -> str:
        return names[group][name] if group in names else name

    def sent(group: str, port: str) -> str:
        return "spike" if group in names and port == outputs[group] else port

    def weighted(link: Any) -> Any:
        """NESTML's events carry a weight, 1 where the source's carry none."""
        group = next(item for item in circuit.groups if item.name == link.target)
        payload = next(
            p.payload for p in group.component.event_inputs if p.name == link.target_port
        )
        ones = np.ones(len(link.pre))
        return replace(link, weight=ones) if link.weight is None and payload else link

    linked = [
        replace(
            link,
            source_port=sent(link.source, link.source_port),
            target_port=own(link.target, link.target_port),
            factor=own(link.source, link.factor) if link.factor else "",
        )
        for link in circuit.event_links
    ]
    known = {group.name: _known(group.component) for group in circuit.groups}
    kept = [p for p in circuit.probes if own(p.group, p.variable) in known[p.group]]
    heard = {item.name: {p.name for p in item.component.event_inputs} for item in circuit.groups}
    return replace(
        circuit,
        event_links=tuple(weighted(k) for k in linked if k.target_port in heard[k.target]),
        analog_links=tuple(
            replace(k, variable=own(k.source, k.variable), input=own(k.target, k.input))
            for k in circuit.analog_links
        ),
        trains=tuple(replace(k, port=sent(k.group, k.port)) for k in circuit.trains),
        probes=tuple(replace(p, variable=own(p.group, p.variable)) for p in kept),
        event_probes=tuple(
            replace(p, variable=sent(p.group, p.variable))
            for p in circuit.event_probes
            if p.group not in outputs or p.variable == outputs[p.group]
        ),
    )


def _known(component: Any) -> set[str]:
    from interspike.canonical_model.query import declared

    return {item.name for item in declared(component)}


def _spikes(truth: Any, run: Any, step: float) -> tuple[int, float]:
    """How many, and how far apart in steps; infinite where the numbers differ."""
    count, worst = 0, 0.0
    for label, times in run.events.items():
        wanted = truth.events[label]
        count += len(wanted)
        if len(times) != len(wanted):
            worst = float("inf")
        elif len(times):
            worst = max(worst, float(np.abs(times - wanted).max()) / step)
    return count, worst


def _traces(truth: Any, run: Any) -> float:
    """The rms deviation of the recorded quantity that is worst, relative to its range."""
    worst = 0.0
    for label, values in run.traces.items():
        wanted = np.interp(run.times, truth.times, truth.traces[label])
        scale = float(np.ptp(wanted)) or float(np.abs(wanted).max()) or 1.0
        worst = max(worst, float(np.sqrt(np.mean((values - wanted) ** 2))) / scale)
    return worst


def judged(texts: Mapping[str, str]) -> dict[str, list[str]] | None:
    """What NESTML 9's parser and checks say against each text; None where it is not installed."""
    import importlib.util

    if importlib.util.find_spec("pynestml") is None:
        return None
    spec = importlib.util.spec_from_file_location(
        "nestml_checks", ROOT / "tests" / "exporters" / "nestml" / "conftest.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, list[str]] = module.complaints(texts, Path(folder))
    return found


def _verdict(row: Row, found: Mapping[str, list[str]]) -> str:
    own = {name: said for name, said in found.items() if name.startswith(f"m{row.case[:2]}_")}
    refused = [name for name, said in own.items() if said]
    return f"no: {', '.join(refused)}" if refused else "yes"


def _line(row: Row) -> str:
    cells = (
        row.case, str(row.models), str(row.lines), row.accepted, str(row.spikes),
        *((_shift(row.shift), _shift(row.own_shift)) if row.spikes else ("", "")),
        f"{row.trace:.1e}", f"{row.own_trace:.1e}", f"{row.step * 1e3:g}", f"{row.length * 1e3:g}",
        row.left_out,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _shift(steps: float) -> str:
    return "counts differ" if steps == float("inf") else f"{steps:.2g}"


def page(rows: list[Row]) -> str:
    """The documentation page."""
    return f"""# LEMS and NeuroML models as NESTML

Written by `python benchmarks/lems_to_nestml.py`. Each published model is exported to NESTML. Synapses and
inputs become ports, equations and inline expressions of their cells, regimes become guarded updates.
NESTML 9's parser and checks judge each text. Then each cell is read back from its text and takes the place
of the original in the same network. Both run on the grid, with one step and one solver, and are compared
with the original in continuous time, where every event is located exactly.

"spikes": of up to five cells of each population. "shift": the largest distance of a spike from that in
continuous time, in steps; a cell in which small differences grow (04 is chaotic) shows large ones on both
sides. "deviation": the rms difference of the worst recorded quantity, over its range. On the grid a strict
comparison with time (`t > last + pause`) is met a step after the time; the NESTML text takes the nearest
step, so that it can be closer than the original. "left out": codes of what NESTML cannot hold
(`docs/codes.md`): networks (N201), experiments (N202), values that differ between cells (N204), quantities
that depend on time alone as recordables (N210).

| model | NESTML models | lines | NESTML 9 accepts | spikes | shift | shift of the original | deviation | of the original | step (ms) | length (ms) | left out |
|---|---|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(_line(row) for row in rows)}
"""


if __name__ == "__main__":
    main()
