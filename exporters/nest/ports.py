"""Receptors, ring-buffer channels and analog inputs of a model, and how its event handlers run."""

from __future__ import annotations

from dataclasses import dataclass

from ...canonical_model.diagnostics import Level, Log
from ...canonical_model.expr import Binary, Call, Expr, Name, free_names, walk
from ...canonical_model.model import Assign, Component, EventPort, OnEvent
from ...canonical_model.passes.merge import degree
from ...canonical_model.query import expressions, handlers, nested
from .names import identifier


@dataclass(frozen=True, slots=True)
class SpikePort:
    """A port: its receptor number, its channel of the ring buffer, and how its handlers run.

    `mode` is `sum` (handlers are linear in the weight: they run with the sum, always), `repeat` (they
    ignore it: once per event) or `once` (once per step in which something came). `count` is the channel
    that counts events, -1 where none is needed.
    """

    port: EventPort
    receptor: int
    channel: int
    mode: str
    count: int = -1


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports; `names` are the receptors with their numbers where there is a choice.

    `currents` are analog inputs that sum what arrives, `peers` those that read one other neuron.
    """

    spikes: tuple[SpikePort, ...]
    names: tuple[tuple[str, int], ...]
    channels: int
    currents: tuple[str, ...]
    peers: tuple[str, ...]
    output: str

    @property
    def width(self) -> int:
        """Channels of the ring buffer: spikes, currents, and two for each peer (value, count)."""
        return self.channels + len(self.currents) + 2 * len(self.peers)

    def spike(self, name: str) -> SpikePort:
        """The spike port called `name`; KeyError if there is none."""
        for item in self.spikes:
            if item.port.name == name:
                return item
        raise KeyError(name)

    def receptors(self) -> dict[int, list[SpikePort]]:
        """Ports by receptor number: excitatory and inhibitory partners share one."""
        table: dict[int, list[SpikePort]] = {}
        for item in self.spikes:
            table.setdefault(item.receptor, []).append(item)
        return table


def find_ports(component: Component, log: Log) -> Ports:
    """Number the ports as NESTML's modules do: one receptor is 0, several count from 1."""
    groups = _receptors(component.event_inputs)
    first = 0 if len(groups) == 1 else 1
    spikes: list[SpikePort] = []
    names: list[tuple[str, int]] = []
    channel = 0
    for number, group in enumerate(groups, start=first):
        for port in group:
            own = [item for item in handlers(component) if item.port == port.name]
            mode = _mode(component, port, own, log)
            needs_count = bool(own) and mode != "sum"
            count = channel + 1 if needs_count else -1
            spikes.append(SpikePort(port, number, channel, mode, count))
            channel += 2 if needs_count else 1
            names.append((identifier(port.name).upper(), number))
    return Ports(
        spikes=tuple(spikes),
        names=tuple(names) if len(groups) > 1 else (),
        channels=channel,
        currents=tuple(item.name for item in component.analog_inputs if item.reduce),
        peers=tuple(item.name for item in component.analog_inputs if not item.reduce),
        output=_output(component, log),
    )


def _receptors(ports: tuple[EventPort, ...]) -> list[list[EventPort]]:
    """Excitatory and inhibitory ports pair up in order of appearance."""
    groups: list[list[EventPort]] = []
    for port in ports:
        partner = {"excitatory": "inhibitory", "inhibitory": "excitatory"}.get(port.sign)
        for group in groups:
            if partner and len(group) == 1 and group[0].sign == partner:
                group.append(port)
                break
        else:
            groups.append([port])
    return groups


def _mode(component: Component, port: EventPort, own: list[OnEvent], log: Log) -> str:
    bodies = [item.body for item in own]
    payload = port.payload[0] if port.payload else ""
    if all(_is_linear(body, payload) for body in bodies):
        return "sum"
    if component.update is not None:
        return "once"
    values = [e for body in bodies for item in nested(body) for e in expressions(item)]
    uses = any(payload in free_names(value) for value in values)
    if not uses:
        return "repeat"
    message = (
        f"events that reach '{port.name}' of '{component.name}' in the same step are handled "
        "once, with the sum of their weights"
    )
    log.add("B210", Level.APPROXIMATED, message, port.span)
    return "once"


def _is_linear(body: tuple[object, ...], payload: str) -> bool:
    """True if n events do what one with the sum of their weights does."""
    targets = {item.target for item in body if isinstance(item, Assign)}
    if not payload and body:
        return False
    for item in body:
        if not isinstance(item, Assign):
            return False
        match item.value:
            case Binary("+", Name(name), step) if name == item.target:
                pass
            case Binary("+", step, Name(name)) if name == item.target:
                pass
            case _:
                return False
        if degree(step, {payload: 1}) != 1 or free_names(step) & targets or _calls(step):
            return False
    return True


def _calls(expr: Expr) -> bool:
    return any(isinstance(node, Call) for node in walk(expr))


def _output(component: Component, log: Log) -> str:
    """The port whose events are NEST's spikes: `spike`, else the first; others are heard by nobody."""
    names = [item.name for item in component.event_outputs]
    if not names:
        return ""
    chosen = "spike" if "spike" in names else names[0]
    for name in names:
        if name != chosen:
            message = (
                f"'{component.name}' sends events from '{name}' too; NEST has one kind of spike"
            )
            log.add("B211", Level.DROPPED, message, component.span)
    return chosen
