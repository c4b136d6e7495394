"""Write a model as NESTML 9: one file for each distinct component."""

from __future__ import annotations

from dataclasses import replace

from ... import __version__
from ...canonical_model.diagnostics import Level, Log
from ...canonical_model.expr import TIME, Expr, Name, free_names, substitute
from ...canonical_model.model import Component, Emit, Model, Provenance
from ...canonical_model.passes.change import change_expressions
from ...canonical_model.query import bodies, declared, nested, statics
from ...canonical_model.verify import verify_component
from ..artifact import Artifact
from . import blocks
from .lower import lower
from .names import Names, identifier
from .options import options_text
from .prepare import components_of
from .printer import Context
from .text import comment_lines
from .unit_text import BASIC

SPIKE = "spike"
DERIVATIVE = "__d"


def export(
    subject: Model, *, scheme: str, step: float, source: Provenance, log: Log, name: str
) -> tuple[Artifact, ...]:
    """`<model>.nestml` for each distinct component. NESTML states no solver and no step.

    Pairs are options of NESTML's code generator: `pairs.json` holds them.

    Raises ModelError N303 to N305 where a component has no form in NESTML.
    """
    files: dict[str, str] = {}
    names: dict[str, str] = {}
    for component in components_of(subject, log):
        text_name, text = component_text(component, log, taken=set(files), source=source)
        files[text_name] = text
        names[component.name] = text_name
    if not files:
        log.add("N207", Level.WARNING, "the model has no component that NESTML could hold")
    made = [Artifact(f"{key}.nestml", text.encode()) for key, text in files.items()]
    if subject.pairings:
        made.append(Artifact("pairs.json", options_text(subject.pairings, names).encode()))
    return tuple(made)


def component_text(
    component: Component, log: Log, *, taken: set[str], source: Provenance | None = None
) -> tuple[str, str]:
    """The name and the text of one flat component as a NESTML model."""
    with log.gather():
        model = prepare_model(component, log, taken)
        text = blocks.model_text(model)
        head = "".join(f"{line}\n" for line in _head(component, model, source))
        return model.name, head + text
    log.stop_on_error()
    raise AssertionError("unreachable: gathered errors stop the run")


def prepare_model(component: Component, log: Log, taken: set[str]) -> blocks.Model:
    """The component lowered to a program, with the names and units that it is written in."""
    is_native = component.update is not None
    plain = not is_native and _has_faults(component, log)
    lowered = lower(component)
    if not is_native:
        lowered = _without_timed_inlines(lowered, log)
    context = Context(
        Names(_units(is_native)),
        blocks.dimensions_of(lowered),
        kinds=_kinds(lowered),
        primes=_primes(lowered),
        functions={f.name: f.kind for f in lowered.functions},
        payloads={p.name: p.payload[0] for p in lowered.event_inputs if p.payload},
        delta=_delta(lowered),
        plain=plain,
        as_written=is_native,
    )
    _choose_names(lowered, context)
    output = _output(lowered, log)
    return blocks.Model(lowered, _model_name(lowered, taken), context, output)


def _without_timed_inlines(component: Component, log: Log) -> Component:
    """Functions of time written out where they are read: NEST knows no time in an inline expression."""
    timed: dict[str, Expr] = {
        d.name: d.value for d in component.derived_variables if TIME in free_names(d.value)
    }
    if not timed:
        return component
    shown = [e.name for e in component.exposures if e.variable in timed]
    if shown:
        names = ", ".join(f"'{name}'" for name in shown)
        message = f"'{component.name}': {names} depends on time itself and cannot be recorded"
        log.add("N210", Level.DROPPED, message, component.span)

    def written_out(expr: Expr) -> Expr:
        for _ in range(len(timed)):
            expr = substitute(expr, timed)
        return expr

    return change_expressions(
        replace(
            component,
            derived_variables=tuple(d for d in component.derived_variables if d.name not in timed),
            exposures=tuple(e for e in component.exposures if e.variable not in timed),
        ),
        written_out,
    )


def _has_faults(component: Component, log: Log) -> bool:
    faults = [i for i in verify_component(component) if i.code.startswith("U")]
    if faults:
        message = (
            f"'{component.name}' has equations whose dimensions do not agree, so that it is written "
            f"without units, its numbers in SI: {faults[0].message}"
        )
        log.add("N208", Level.DROPPED, message, faults[0].span or component.span)
    return bool(faults)


def _units(is_native: bool) -> set[str]:
    """Names of units that the text contains: no quantity may be called so, unless its author did."""
    return set() if is_native else {*BASIC, "s"}


def _kinds(component: Component) -> dict[str, str]:
    kinds = {item.name: item.kind for item in statics(component)}
    return kinds | {item.name: item.kind for item in component.state_variables}


def _primes(component: Component) -> dict[str, tuple[str, int]]:
    """States that are derivatives of others: `x__d` with the equation `x' = x__d`."""
    found: dict[str, tuple[str, int]] = {}
    groups = [component.odes, *(kernel.odes for kernel in component.kernels)]
    steps = {
        ode.rhs.id: ode.variable
        for odes in groups
        for ode in odes
        if isinstance(ode.rhs, Name) and ode.rhs.id == f"{ode.variable}{DERIVATIVE}"
    }
    for name in sorted(steps, key=len):
        base, order = found.get(steps[name], (steps[name], 0))
        found[name] = (base, order + 1)
    return found


def _delta(component: Component) -> str:
    """The name that the author gave to a Dirac pulse."""
    names = [key for key, text in component.extras.items() if text == "delta"]
    return next((key.removeprefix("kernel:") for key in names if key.startswith("kernel:")), "")


def _choose_names(component: Component, context: Context) -> None:
    """NESTML names for all names, those of ports and functions included."""
    names = context.names
    for item in declared(component):
        if item.name not in context.primes:
            names.add(item.name)
    for port in component.event_inputs:
        names.add(port.name)
    for source in component.analog_inputs:
        names.add(source.name)
    for kernel in component.kernels:
        names.add(kernel.name)
    for function in component.functions:
        names.add(function.name)
    if context.delta:
        names.add(context.delta)
    if context.as_written:
        for name in component.texts:
            names.add(name)


def _model_name(component: Component, taken: set[str]) -> str:
    """The component's name; NESTML takes what ends in `synapse` for a model of a synapse."""
    name = identifier(component.name)
    is_synapse = component.update is not None
    if name.lower().endswith("synapse") and not is_synapse:
        name = f"{name}_model"
    names = Names()
    for other in taken:
        names.add(other)
    return names.fresh(name)


def _output(component: Component, log: Log) -> str:
    """The port whose events are the spikes; a model in NESTML has one."""
    sent = [s.port for body in bodies(component) for s in nested(body) if isinstance(s, Emit)]
    declared_first = [port.name for port in component.event_outputs if port.name in sent]
    ports = list(dict.fromkeys([*declared_first, *sent]))
    if not ports:
        return SPIKE if any(p.name == SPIKE for p in component.event_outputs) else ""
    chosen = SPIKE if SPIKE in ports else ports[0]
    if len(ports) > 1:
        others = ", ".join(f"'{port}'" for port in ports if port != chosen)
        message = f"'{component.name}': NESTML has one output, events of {others} are left out"
        log.add("N209", Level.DROPPED, message, component.span)
    return chosen


def _head(component: Component, model: blocks.Model, source: Provenance | None) -> list[str]:
    """The documentation in front of a model."""
    lines = list(comment_lines(component.description))
    lines += comment_lines(component.extras.get("comments:model", ""))
    if component.update is None:
        kind = f" ({component.type})" if component.type and component.type != component.name else ""
        if not lines:
            lines = [f"# {model.name}{kind}"]
        origin = f" from {source.source}" if source is not None and source.source else ""
        lines += ["#", f"# Written by interspike {__version__}{origin}."]
    return lines
