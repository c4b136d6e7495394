"""Read a Simulation: run length, step, seed, and what is to be recorded into which file."""

from __future__ import annotations

from ...canonical_model.diagnostics import Span, error, suggest
from ...canonical_model.network import EventRecording, Experiment, Recording
from ...canonical_model.units import TIME
from ...lems_types.types import Types
from ..xml import Element
from .parse import Document, need

MAX_STEPS = 10**9


def find_simulation(document: Document) -> Element | None:
    """The Simulation that `Target` names, or the only one. Raises ModelError L160."""
    if document.target:
        found = document.simulations.get(document.target)
        if found is None and document.target not in document.components:
            known = [*document.simulations, *document.components, *document.networks]
            message = f"the Target '{document.target}' does not exist"
            hint = suggest(document.target, known)
            raise error("L160", message, document.target_span, hint=hint)
        return found
    simulations = list(document.simulations.values())
    return simulations[0] if len(simulations) == 1 else None


def read_experiment(element: Element, types: Types) -> Experiment:
    """The experiment of a Simulation element. Raises ModelError L112, L125, L161."""
    length, step = _time(element, "length", types), _time(element, "step", types)
    if not 0 < step <= length or length / step > MAX_STEPS:
        message = f"a run of {length:g} s in steps of {step:g} s makes no sense"
        raise error("L161", message, element.attribute_span("step"))
    seed = element.attributes.get("seed")
    recordings: list[Recording] = []
    displays: list[Recording] = []
    events: list[EventRecording] = []
    for block in element.children:
        file = block.attributes.get("fileName", "")
        for item in block.children:
            if item.tag == "OutputColumn":
                recordings.append(_recording(item, file, 1.0))
            elif item.tag == "Line":
                displays.append(_recording(item, "", _scale(item, types)))
            elif item.tag == "EventSelection":
                events.append(_events(item, file, block.attributes.get("format", "ID_TIME")))
    return Experiment(
        name=element.attributes.get("id", "sim"),
        length=length,
        step=step,
        seed=int(seed) if seed and seed.lstrip("-").isdigit() else None,
        recordings=tuple(recordings),
        events=tuple(events),
        displays=tuple(displays),
    )


def _time(element: Element, name: str, types: Types) -> float:
    return types.quantity(need(element, name), TIME, _span(element, name)).si


def _span(element: Element, name: str) -> Span:
    return element.attribute_span(name) if name in element.attributes else element.span


def _scale(element: Element, types: Types) -> float:
    """The display scale of a Line in SI; a malformed one changes nothing but the picture."""
    text = element.attributes.get("scale", "1")
    return types.quantity(text, None, _span(element, "scale")).si or 1.0


def _recording(element: Element, file: str, scale: float) -> Recording:
    path = need(element, "quantity")
    label = path if element.tag == "OutputColumn" else element.attributes.get("id", path)
    return Recording(path=path, label=label, file=file, scale=scale, span=element.span)


def _events(element: Element, file: str, kind: str) -> EventRecording:
    return EventRecording(
        path=need(element, "select"),
        port=element.attributes.get("eventPort", "spike"),
        label=need(element, "select"),
        file=file,
        format=kind,
        span=element.span,
    )
