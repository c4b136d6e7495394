"""Write a circuit as SpiNNaker2 programs: applications on many PEs where it qualifies, else one PE."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...canonical_model.circuit import Circuit, EventTrain
from ...canonical_model.diagnostics import Level, Log, ModelError, refuse
from ...canonical_model.model import Provenance
from ...canonical_model.passes.fuse import fuse
from ...canonical_model.passes.timegrid import on_grid
from ...canonical_model.units import NEURO, UnitSystem
from ...spinnaker2 import memory
from ...spinnaker2.budget import CLOCKS, one_tick_cycles
from ..artifact import Artifact
from .app_code import app_source, app_table
from .application import Application, build
from .c_printer import identifier
from .cost import neuron_cost
from .data import Image, build_image
from .host_code import build_files, host_class, install_script
from .layout import list_packets, machine_layout
from .model_code import model_header
from .network_code import NetworkCode, network_source
from .network_text import EDGE
from .partition import Choices
from .plan import ModelPlan, Plan, make_plan, state_fields, unit_system, words_of
from .python_code import application_class, run_script
from .qualify import Network, qualify, unsummable
from .text import machine_makefile, machine_readme, makefile, readme

RUNTIME = Path(__file__).resolve().parents[2] / "spinnaker2" / "runtime"
NUMERIC = RUNTIME.parents[1] / "solvers" / "numeric.py"
MAX_TICKS = 2**31
DEFAULT_LENGTH = 0.1  # s, for models that name none
DEFAULT_STEP = 1e-4  # s, likewise
MAX_BSS = memory.DTCM.size - 4096 - 256  # the runtime's record buffers and queues' bookkeeping


ONE_PE = ("hal.h", "hal_host.c", "hal_qemu.c", "runtime.c", "runtime.h")
MANY_PES = ("pe.h", "pe.c", "pe_qemu.c", "pe_sdk.c", "machine.c", "synapses.h", "attached.h")
COMMON = ("mathf.h", "mathf.c", "random.h", "random.c", "start_qemu.h")
TAKEN_OVER = "taken_over_"  # groups that stand for events under way when a run before ended
TOO_LARGE = ("T301", "T302", "T311")  # refusals of one PE that many may not share
SPREADING = ("T312", "T313", "T314", "T315")  # refusals of applications that one PE may not share


def export(
    subject: Circuit,
    *,
    scheme: str,
    step: float,
    source: Provenance,
    log: Log,
    name: str,
    form: str = "auto",
    choices: Choices | None = None,
    first: int = 0,
) -> tuple[Artifact, ...]:
    """The files of a program. `step` in seconds; `first`: the tick at which a run that goes on starts.

    The application form (`form`: "auto", "application", "one") spreads populations over many PEs;
    circuits with analog links between groups or with events that cannot be summed stay on one PE.
    Raises ModelError T300 to T315 where the network does not fit or has no single-precision form,
    S2xx where the chosen scheme cannot solve a component.
    """
    overlaps = memory.check()
    if overlaps:
        raise refuse("T300", "; ".join(overlaps))
    circuit = on_grid(fuse(subject), step)
    length = circuit.length or DEFAULT_LENGTH
    ticks = round(length / step)
    if not first < ticks < MAX_TICKS:
        raise refuse("T304", f"{ticks} ticks of {step:g} s cannot be counted on the chip")
    log.add(
        "T200",
        Level.NOTE,
        f"single precision, fixed step of {step * 1e3:g} ms: inherent to the target",
    )

    def one(*reasons: str) -> tuple[Artifact, ...]:
        """The one PE form, with the reasons why it is not applications."""
        text = "; ".join(reasons[:3])
        if reasons and form == "application":
            raise refuse("T311", f"not a set of applications: {text}")
        files = _one_pe(circuit, scheme, step, source, log, name, (first, ticks))
        if reasons:
            log.add("T310", Level.NOTE, f"the whole network goes to one PE: {text}")
        return files

    if form == "one":
        return one()
    own = Log()
    network = qualify(circuit, step, own)
    if not isinstance(network, Network):
        # noise and current generators inside of their cells, where they would stand in the way
        reasons, own = network, Log()
        inner = on_grid(fuse(subject, sources=True), step)
        network = qualify(inner, step, own)
        if isinstance(network, Network):
            circuit = inner
        else:
            try:
                return one(*reasons)
            except ModelError as problem:
                # beside their neurons they hear one event after another, on as many PEs as they need
                keep = unsummable(subject)
                if problem.issues[0].code not in TOO_LARGE or not keep:
                    raise
                circuit, own = on_grid(fuse(subject, sources=True, keep=keep), step), Log()
                found = qualify(circuit, step, own)
                if not isinstance(found, Network):
                    raise
                network = found
                names = ", ".join(sorted(found.attached)[:3])
                message = f"synapses with states ({names}) step beside their neurons, not as one with them"
                log.add("T317", Level.NOTE, message)
    try:
        application = build(
            network, scheme=scheme, step=step, ticks=ticks, first=first, name=name,
            choices=choices or Choices(), log=own,
        )  # fmt: skip
    except ModelError as problem:
        if form == "application" or not problem.refused or problem.issues[0].code not in SPREADING:
            raise
        try:
            return one(problem.issues[0].message)
        except ModelError as other:
            raise ModelError((*problem.issues, *other.issues)) from other
    for issue in own:
        log.add(issue.code, issue.level, issue.message, issue.span, issue.text, issue.hint)
    return application_files(application, circuit, source, scheme)


def together(circuit: Circuit) -> Circuit:
    """What `export` fuses: current sources and noise too, where they would keep a network on one PE."""
    step = circuit.step or DEFAULT_STEP
    plain, inner = fuse(circuit), fuse(circuit, sources=True)
    if isinstance(qualify(on_grid(plain, step), step, Log()), Network):
        return plain
    spreads = isinstance(qualify(on_grid(inner, step), step, Log()), Network)
    return inner if spreads else plain


def _later(train: EventTrain, first: int, step: float) -> EventTrain:
    """What a run that starts at `first` still has to send; what it takes over is due at the earliest then."""
    least = first + (0 if train.group.startswith(TAKEN_OVER) else 1)
    if first == 0:
        return train
    times = np.asarray(train.times)
    chosen = np.ceil(times / step - EDGE) >= least
    return replace(train, times=times[chosen], index=np.asarray(train.index)[chosen])


def _one_pe(
    circuit: Circuit,
    scheme: str,
    step: float,
    source: Provenance,
    log: Log,
    name: str,
    ticks: tuple[int, int],
) -> tuple[Artifact, ...]:
    """The files of a program for one PE."""
    circuit = replace(circuit, trains=tuple(_later(t, ticks[0], step) for t in circuit.trains))
    plan = make_plan(circuit, scheme=scheme, step=step, name=name, log=log)
    image = build_image(plan, ticks[1], ticks[0], 1)
    head = file_head(plan, source, scheme)
    network, code = network_source(plan, image, log, head)
    _check_memory(plan)
    units = units_text(plan.units)
    files = {f"models/{m.name}.h": model_header(m, units, head) for m in plan.models}
    files["network.c"] = network
    files["Makefile"] = makefile()
    data = image.to_bytes()
    files["layout.json"] = _layout(plan, code, image, data, ticks, log)
    files["README.md"] = readme(plan, code, image, source, ticks[1], units)
    files[f"run_{identifier(name)}.py"] = run_script(plan)
    for model in _populations(plan):
        files[f"{model.name}_application.py"] = application_class(plan, model)
    files["runtime/memory.h"] = memory.c_header()
    files["runtime/pe.ld"] = memory.linker_script()
    artifacts = [Artifact(path, text.encode()) for path, text in sorted(files.items())]
    artifacts.append(Artifact("data.bin", data))
    return (*artifacts, *runtime_files((*COMMON, *ONE_PE)))


def application_files(
    application: Application, circuit: Circuit, source: Provenance, scheme: str
) -> tuple[Artifact, ...]:
    """Programs, images and descriptions of a network on many PEs."""
    plan, partition = application.plan, application.partition
    head = file_head(plan, source, scheme)
    units = units_text(plan.units)
    files = {f"models/{m.name}.h": model_header(m, units, head) for m in plan.models}
    for app in partition.apps:
        files[f"apps/{app.name}.c"] = app_source(app, plan, head)
    files["apps/apps.c"] = app_table(partition.apps, head)
    files["Makefile"] = machine_makefile([app.name for app in partition.apps])
    files["layout.json"] = machine_layout(application, circuit)
    files["README.md"] = machine_readme(application, source, units)
    files[f"run_{identifier(plan.name)}.py"] = run_script(plan)
    for app in partition.apps:
        files[f"{app.name}_application.py"] = host_class(plan, app)
    files |= build_files(partition.apps)
    for own in ("host.py", "registration.py"):
        files[own] = (RUNTIME.parent / own).read_text(encoding="utf-8")
    files["install.py"] = install_script(partition.apps)
    files["numeric.py"] = NUMERIC.read_text(encoding="utf-8")
    files["runtime/memory.h"] = memory.c_header()
    files["runtime/pe.ld"] = memory.linker_script(memory.PROGRAM)
    artifacts = [Artifact(path, text.encode()) for path, text in sorted(files.items())]
    artifacts += [
        Artifact(f"pes/{number:04d}.bin", image.data)
        for number, image in enumerate(application.images)
    ]
    artifacts.append(Artifact("lists.bin", list_packets(application)))
    return (*artifacts, *runtime_files((*COMMON, *MANY_PES)))


def runtime_files(names: tuple[str, ...]) -> tuple[Artifact, ...]:
    """Sources of the runtime."""
    return tuple(
        Artifact(f"runtime/{name}", (RUNTIME / name).read_bytes()) for name in sorted(names)
    )


def _populations(plan: Plan) -> list[ModelPlan]:
    """The models of groups that are not attached to others: what a user makes populations of."""
    found = [item.model for item in plan.groups if not item.group.host]
    return list({model.name: model for model in found}.values())


def file_head(plan: Plan, source: Provenance, scheme: str) -> str:
    """The comment at the top of generated files: tool, source, options; no dates, no paths."""
    name = "".join(c if c.isalnum() or c in "._- " else "_" for c in source.source)[:80]
    return (
        f"/* Generated by interspike {__version__} from {name} (sha256 {source.sha256[:16]}).\n"
        f"   Solver {scheme}, step {plan.step * 1e3:g} ms. Do not edit: convert again. */\n"
    )


def units_text(units: UnitSystem) -> str:
    if units == NEURO:
        return (
            "Units: mV, ms, pA, nS, pF, GOhm, um, mol/m3, K. Equations hold in them as they stand."
        )
    return "Units: SI (V, s, A, S, F, Ohm, m, mol/m3, K)."


def _check_memory(plan: Plan) -> None:
    """The inputs of all instances lie in .bss: refuse early what the linker would refuse late."""
    words = sum(
        item.group.size * max(1, len(item.group.component.analog_inputs)) for item in plan.groups
    )
    if 4 * words > MAX_BSS:
        message = f"inputs of all instances need {4 * words} bytes, one PE has {MAX_BSS} for them"
        raise refuse("T301", message, hint="convert a smaller network")


def warn_of_tick(plan: Plan, cycles: float, log: Log) -> None:
    """A tick that one PE cannot meet even if no events come."""
    late = [clock for clock in CLOCKS if cycles > clock * plan.step]
    if late:
        clocks = " and ".join(f"{clock / 1e6:g} MHz ({clock * plan.step:.0f})" for clock in late)
        message = (
            f"the network on one core takes about {cycles:.0f} cycles per tick without any events, "
            f"more than a tick of {plan.step * 1e3:g} ms has at {clocks}"
        )
        log.add("T316", Level.WARNING, message, hint="a larger step, or a smaller network")


def _layout(
    plan: Plan, code: NetworkCode, image: Image, data: bytes, ticks: tuple[int, int], log: Log
) -> str:
    """What the emulator needs to run the program and to read its records back."""
    from ...canonical_model.query import declared
    from ...canonical_model.units import NONE

    traces = []
    for probe in plan.circuit.probes:
        item = code.group(probe.group)
        dimensions = {d.name: d.dimension for d in declared(item.group.component)}
        dimensions.update({i.name: i.dimension for i in item.group.component.analog_inputs})
        size = plan.units.size(dimensions.get(probe.variable, NONE))
        traces.append({"label": probe.label, "si": size})
    events = [
        {
            "label": probe.label,
            "port": code.ports[code.group(probe.group).number, probe.variable],
            "index": probe.index,
        }
        for probe in plan.circuit.event_probes
    ]
    facts: dict[str, Any] = {
        "format": 1,
        "name": plan.name,
        "step_s": plan.step,
        "ticks": ticks[1],
        "first": ticks[0],
        "units": unit_system(plan),
        "groups": [
            {
                "name": item.group.name,
                "size": item.group.size,
                "at": image.groups[item.number][2],
                "bytes": 4 * (len(item.model.own) + words_of(item.model)),
                "cost": asdict(neuron_cost(item.model, 0)),
                **state_fields(item.model),
            }
            for item in plan.groups
        ],
        "sram": {"used": len(data), "free": memory.DATA.size - len(data)},
        "synapses": sum(len(link.pre) for link in plan.circuit.event_links),
        "queues": [list(entry) for entry in code.queues],
        "traces": traces,
        "events": events,
    }
    warn_of_tick(plan, one_tick_cycles(facts["groups"]), log)
    return json.dumps(facts, indent=1) + "\n"
