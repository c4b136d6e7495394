"""What a flat component was joined from: its parts, links between their ports, ports of the whole.

Kept as text in the component's extras, for languages that can write the parts again. It is believed only
as long as the component's equations are those with which it was kept; values may change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from .diagnostics import ModelError
from .expr import rename
from .model import Component, Model, Parameter, StateVariable

KEY = "assembly"  # in the extras of a component
VERSION = 1
RESPONSE, PLASTICITY = "response", "plasticity"  # parts of what a projection joins


@dataclass(frozen=True, slots=True)
class Joint:
    """What leaves a part's port goes to another part's port at once."""

    sender: str
    send_port: str
    receiver: str
    receive_port: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A part's port that is a port of the whole under `name`; `kind` is AnalogSend, EventReceive, ..."""

    kind: str
    name: str
    part: str
    port: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """Parts by name, flat, without values and names of their own.

    A quantity `x` of the part `p` is `x__p` in the whole.
    """

    parts: Mapping[str, Component]
    joints: tuple[Joint, ...]
    shown: tuple[Shown, ...]

    def filled(self, whole: Component) -> Iterator[tuple[str, Component, dict[str, str]]]:
        """Each part with its values in `whole`: name, component, names in the whole by own name."""
        parameters = {item.name: item for item in whole.parameters}
        states = {item.name: item for item in whole.state_variables}
        for name, part in self.parts.items():
            names = {item.name: inside(item.name, name) for item in _valued(part)}
            own = {flat: item for item, flat in names.items()}
            yield name, replace(
                part,
                parameters=tuple(
                    replace(p, value=parameters[names[p.name]].value) for p in part.parameters
                ),
                state_variables=tuple(
                    _started(s, states[names[s.name]], own) for s in part.state_variables
                ),
            ), names  # fmt: skip


def inside(name: str, part: str) -> str:
    """The name in the whole of a part's quantity."""
    return f"{name}__{part}"


def outer(role: str, port: str) -> str:
    """The name of a port of a response or plasticity on the two joined."""
    return f"{port}__of_{role}"


def keep(component: Component, assembly: Assembly) -> Component:
    """The component with its assembly in its extras."""
    text = json.dumps({
        "version": VERSION,
        "digest": _digest(component),
        "parts": [[name, *_part_data(part)] for name, part in assembly.parts.items()],
        "joints": [[j.sender, j.send_port, j.receiver, j.receive_port] for j in assembly.joints],
        "shown": [[s.kind, s.name, s.part, s.port] for s in assembly.shown],
    })  # fmt: skip
    return replace(component, extras={**component.extras, KEY: text})


def assembly_of(component: Component) -> Assembly | None:
    """The parts of a component; None where nothing is kept, or the component was changed since."""
    if KEY not in component.extras:
        return None
    try:
        kept = json.loads(component.extras[KEY])
        if kept["version"] != VERSION or kept["digest"] != _digest(component):
            return None
        return Assembly(
            parts={name: _part(data, inner) for name, data, inner in kept["parts"]},
            joints=tuple(Joint(*item) for item in kept["joints"]),
            shown=tuple(Shown(*item) for item in kept["shown"]),
        )
    except (ModelError, ValueError, KeyError, TypeError, IndexError):
        # extras are text, and somebody may have changed it
        return None


def _part_data(part: Component) -> tuple[object, object]:
    """A part as data, and the data of its own assembly beside it: text in text would grow without measure."""
    from .serial_write import write

    extras = dict(part.extras)
    inner = extras.pop(KEY, None)
    plain = replace(_bare(part), extras=extras)
    return write(plain, Component, False), None if inner is None else json.loads(inner)


def _part(data: object, inner: object) -> Component:
    from .serial_read import Reader

    part = cast(Component, Reader("").read(data, Component, "part"))
    extras = part.extras if inner is None else {**part.extras, KEY: json.dumps(inner)}
    return replace(part, extras=extras)


def _valued(part: Component) -> tuple[Parameter | StateVariable, ...]:
    return (*part.parameters, *part.state_variables)


def _started(own: StateVariable, flat: StateVariable, names: Mapping[str, str]) -> StateVariable:
    initial = None if flat.initial is None else rename(flat.initial, names)
    return replace(own, initial=initial)


def _bare(component: Component) -> Component:
    """The component without its name and the values that its instances have."""
    return replace(
        component,
        name="",
        parameters=tuple(replace(item, value=None) for item in component.parameters),
        state_variables=tuple(replace(item, initial=None) for item in component.state_variables),
    )


def _digest(component: Component) -> str:
    """Tells whether the equations are still the same."""
    from .serial import dumps

    plain = replace(_bare(component), type="", description="", extras={})
    return hashlib.sha256(dumps(Model(name="", components=(plain,))).encode()).hexdigest()[:16]


__all__ = ["KEY", "Assembly", "Joint", "Shown", "assembly_of", "inside", "keep", "outer"]
