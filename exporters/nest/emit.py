"""Write a model as a NEST extension module, and its network as a PyNEST script."""

from __future__ import annotations

from pathlib import Path

from ... import __version__
from ...canonical_model.diagnostics import Level, Log, error
from ...canonical_model.model import Component, Model, Provenance
from ...canonical_model.passes.arming import arm
from ...canonical_model.passes.cogenerate import cogenerate
from ...canonical_model.passes.flatten import flatten
from ...canonical_model.passes.partners import NEURON
from ...canonical_model.passes.wire import wire
from ...canonical_model.units import TIME
from ..artifact import Artifact
from .facts import facts_text
from .kept_code import join_pairs
from .model_code import model_header
from .module_code import cmake_text, module_source, readme
from .names import class_name, comment
from .network_code import network_files
from .network_plan import MAX_DRAWN, plan_network
from .plan import ModelPlan, plan_model
from .synapse_class import synapse_header

RUNTIME = Path(__file__).resolve().parents[2] / "nest" / "runtime"


def export(
    subject: Model,
    *,
    scheme: str,
    step: float,
    source: Provenance,
    log: Log,
    name: str,
) -> tuple[Artifact, ...]:
    """The files of a module. `step` in seconds is the resolution for which schemes are chosen.

    Raises ModelError B3xx for what NEST cannot express, S2xx where the scheme cannot solve a model.
    """
    if subject.pairings:
        subject = _cogenerated(subject, log)
    if subject.network is None:
        return module_files(_models(subject, scheme, step, log), source, name, {})
    circuit = wire(subject, log, large=MAX_DRAWN)
    log.stop_on_error()
    plan = plan_network(subject, circuit, scheme=scheme, step=step, log=log)
    script = network_files(plan, module_name(name), circuit.seed)
    return module_files(plan.models, source, name, script)


def _cogenerated(model: Model, log: Log) -> Model:
    """The model with its pairs made. Raises ModelError B310 for pairs in a network."""
    if model.network is not None:
        message = "neurons and synapses can be paired where a file holds models, not in a network"
        hint = "--component CELL takes the models without their network"
        raise error("B310", message, hint=hint)
    return cogenerate(model, log)


def module_files(
    plans: list[ModelPlan], source: Provenance, name: str, extra: dict[str, bytes]
) -> tuple[Artifact, ...]:
    """Artifacts of a module of these models, `extra` files included."""
    module = module_name(name)
    head = _head(source, plans)
    files = {
        f"models/{plan.title}.h": (synapse_header if plan.is_synapse else model_header)(plan, head)
        for plan in plans
    }
    for path in sorted(RUNTIME.rglob("*.h")):
        files[f"runtime/{path.relative_to(RUNTIME).as_posix()}"] = path.read_text()
    files[f"{module}.cpp"] = module_source(module, plans, files)
    files["CMakeLists.txt"] = cmake_text(module)
    files["models.json"] = facts_text(plans)
    files["README.md"] = readme(module, plans, source.source, bool(extra))
    data = {path: text.encode() for path, text in files.items()} | extra
    return tuple(Artifact(path, data[path]) for path in sorted(data))


def module_name(name: str) -> str:
    """`<name>_module`, a C++ identifier.

    >>> module_name("my net")
    'my_net_module'
    """
    return f"{class_name(name).rstrip('_')}_module"


def _head(source: Provenance, plans: list[ModelPlan]) -> str:
    """The comment at the top of generated files: no dates, no paths."""
    file = comment(source.source.rpartition("/")[2])
    scheme = plans[0].scheme if plans else ""
    h = plans[0].step * plans[0].units.size(TIME) * 1e3 if plans else 0.0
    return (
        f"/* Made by interspike {__version__} from {file} (sha256 {source.sha256[:16]}).\n"
        f"   Solver {scheme}, chosen for steps of {h:g} ms. Do not edit: convert again. */\n"
    )


def _models(model: Model, scheme: str, step: float, log: Log) -> list[ModelPlan]:
    """Every component that can stand alone, as a model of its own."""
    plans: list[ModelPlan] = []
    flats = [
        (c, arm(flatten(c).component, loops=True) if _is_composite(c) else c)
        for c in model.components
    ]
    # what has no host in its file reads its inputs from other nodes
    has_hosts = any(_stands_alone(flat) for _, flat in flats)
    for component, flat in flats:
        if has_hosts and not _stands_alone(flat):
            message = f"'{component.name}' needs a host, so it is no model of its own in NEST"
            log.add("B212", Level.DROPPED, message, component.span)
            continue
        plans.append(plan_model(flat, scheme=scheme, step=step, log=log))
    join_pairs(plans)
    if not plans:
        raise error("B300", "there is nothing in the model that NEST could create")
    return plans


def _is_composite(component: Component) -> bool:
    return component.update is None and not component.kernels


def _stands_alone(component: Component) -> bool:
    """True unless it reads a quantity of a host that is not known; what sends spikes is a host itself."""
    has_all = all(item.reduce for item in component.analog_inputs)
    return NEURON in component.extras or has_all or bool(component.event_outputs)
