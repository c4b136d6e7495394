"""What docs/nineml.md says of one model: each function measures one row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nineml_round import trip

ENGINES = ("nestml", "nest", "spinnaker2")


def trace_row(path: Path, models: Path) -> list[str]:
    """A stored high-accuracy run: model, events, and the worst deviation in continuous time."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.importers.nineml.reader import read
    from interspike.solvers.simulate import simulate

    about = json.loads(path.read_text())
    offsets = "apply" if "offset_applied" in path.name else "ignore"
    model = read(models / about["model_file"], None, log=Log(), options={"offsets": offsets})
    circuit = stimulated(model.component(about["component"]), about)
    length = about["duration_ms"] * 1e-3
    result = simulate(circuit, mode="continuous", length=length, step=1e-3, rtol=1e-8)
    found, wanted = result.events["spikes"] * 1e3, np.array(about["spike_times_ms"])
    count = (
        f"{len(wanted)}" if len(found) == len(wanted) else f"{len(found)} instead of {len(wanted)}"
    )
    shift = float(np.abs(found - wanted).max(initial=0.0)) if len(found) == len(wanted) else np.inf
    return [about["model_file"], about["component"], path.name.split(".")[1], count, f"{shift:.1e}"]


def stimulated(component: Any, about: dict[str, Any]) -> Any:
    """The circuit that a stored run describes."""
    from interspike.canonical_model import model as m
    from interspike.canonical_model.circuit import AnalogLink, Circuit, EventLink, Group, Probe
    from interspike.canonical_model.expr_parse import parse_expr
    from interspike.canonical_model.passes.flatten import flatten
    from interspike.canonical_model.units import CURRENT

    cell, one = flatten(component).component, np.zeros(1, dtype=int)
    kind = about["input"]["kind"].split("until ")
    start = float(kind[1].split()[0]) if len(kind) > 1 else -1.0

    def current(name: str, value: str) -> Group:
        text = f"if(t < {start} ms, 0 pA, {value})" if start >= 0 else value
        shown = m.DerivedVariable(name="i", dimension=CURRENT, value=parse_expr(text))
        exposure = m.Exposure(name="i", variable="i", dimension=CURRENT)
        source = m.Component(name=name, derived_variables=(shown,), exposures=(exposure,))
        return Group(name=name, component=source, size=1)

    def feeds(source: str, port: str) -> AnalogLink:
        return AnalogLink(source=source, variable="i", target="cell", input=port, pre=one, post=one)

    initial = {k: np.array([v]) for k, v in about["initial_state_SI"].items()}
    groups = [Group(name="cell", component=cell, size=1, initial=initial)]
    amplitude = " ".join(about["input"]["value"].split()[:2])
    groups.append(current("drive", amplitude))
    analog, events = [feeds("drive", about["input"]["port"])], []
    if "events" in about["input"]:
        times = tuple(t * 1e-3 for t in (20, 22, 60, 61.5, 63, 120))
        train = m.Component(
            name="train", event_outputs=(m.EventPort(name="out"),),
            timed_events=(m.TimedEvents(times=times, body=(m.Emit(port="out"),)),),
        )  # fmt: skip
        groups += [Group(name="train", component=train, size=1), current("weight", "300 pA")]
        events.append(EventLink(source="train", source_port="out", target="cell",
                                target_port="spike_in", pre=one, post=one))  # fmt: skip
        analog.append(feeds("weight", "weight"))
    port = cell.event_outputs[0].name
    return Circuit(
        name="trace", groups=tuple(groups), event_links=tuple(events), analog_links=tuple(analog),
        event_probes=(Probe(label="spikes", group="cell", index=0, variable=port),),
    )  # fmt: skip


def form_row(model: Any, component: Any) -> str:
    """Is the component the same after it was written in each serialization and read?"""
    from interspike.canonical_model.compare import differences

    found = []
    for form in ("yml", "xml", "json"):
        again = back(model, form)
        if differences(component, again.component(component.name)):
            found.append(form)
    return f"differs: {', '.join(found)}" if found else "equal"


def back(model: Any, form: str) -> Any:
    """A model written as NineML and read strictly."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.model import Provenance
    from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
    from interspike.importers.nineml.reader import read

    write = {"yml": export_yaml, "xml": export_xml, "json": export_json}[form]
    (text,) = write(model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m")
    return read(None, text.data, file=text.path, log=Log(), options={"strict": "yes"})


def engine_cell(model: Any, component: Any, target: str) -> str:
    """The verdict of `verify`: the component alone, four strengths of current, spikes at its inputs."""
    from interspike.app.verify import verify
    from interspike.canonical_model.diagnostics import Log, ModelError

    alone = replace(model, components=(component,), network=None)
    try:
        found = verify(alone, to=target, log=Log())
    except ModelError as problem:
        return str(problem.issues[0].code)
    if found.trials:
        (trial,) = found.trials
        distances, until = trial.distances, ""
        events = [item.spikes for item in distances if " events " in item.name]
        if trial.until < trial.length:
            until = f", until {trial.until * 1e3:.3g} ms"
    else:
        (one,) = found.comparisons
        distances, until = one.distances, ""
        events = [item.spikes for item in distances if any(item.spikes)]
        if one.decided == "points" and not one.differences:
            until = ", at all points"
    ours, theirs = (sum(pair[k] for pair in events) for k in (0, 1))
    shift = max((item.shift for item in distances), default=0.0)
    if not ours and not theirs:  # judged by what it shows
        worst = max((item.trace for item in distances), default=None)
        counts = "nothing moves" if worst is None else f"curves {worst:.0e} apart"
        return f"{found.verdict} ({counts.replace('0e+00 apart', 'equal')}{until})"
    counts = f"{ours}" if ours == theirs else f"{ours}, {theirs}"
    late = f", {shift * 1e3:.2g} ms" if shift > 1e-9 else ""
    return f"{found.verdict} ({counts}{late}{until})"


def with_values(component: Any) -> Any:
    """Parameters without a value get one of the size that their dimension has in this field."""
    from interspike.app.behaviour.components import typical

    parameters = tuple(
        item if item.value is not None else replace(item, value=typical(item))
        for item in component.parameters
    )
    return replace(component, parameters=parameters)


def round_row(path: Path) -> list[str]:
    """A neuron of NESTML's library written as NineML, read, written as NESTML and read."""
    from interspike.canonical_model.diagnostics import ModelError

    name = path.stem.removesuffix("_neuron")
    try:
        found = trip(path)
    except ModelError as problem:
        issue = problem.issues[0]
        line = f", line {issue.span.line}" if issue.span else ""
        return [name, "", f"refused, {issue.code}{line}", issue.message]
    verdict = "the same" if found.same else "differ"
    return [name, f"{found.spikes}", verdict, f"{found.worst:.1e}"]
