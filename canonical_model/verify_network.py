"""Invariants of a network: what it refers to exists, and its arrays fit together.

Codes: V140 name given twice, V141 unknown component, V142 unknown population, V143 arrays of unequal
length, V144 index out of range, V145 impossible delay, V146 impossible weight, V147 values per cell,
V148 size or positions, V149 unknown port or attachment list, V150 run length or step, V151 kind, V152 a rule
that does not fit its projection (W216: that cannot be followed).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from .diagnostics import Issue, Level, ModelError, Span, suggest
from .network import Experiment, Input, Network, Population, Projection
from .rules import check_rule, sizes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .model import Component
    from .network import Floats, Ints

    Bools: TypeAlias = NDArray[np.bool_]

KINDS = ("event", "electrical", "continuous")


def verify_network(network: Network, components: Iterable[Component]) -> list[Issue]:
    """Every violated invariant of the network; `components` are those that it may name."""
    known = {component.name: component for component in components}
    populations = {population.name: population for population in network.populations}
    check = _Check(network, known, populations)
    for kind, items in (
        ("population", network.populations),
        ("projection", network.projections),
        ("input", network.inputs),
    ):
        seen: set[str] = set()
        for item in items:
            if item.name in seen:
                check.report("V140", f"two {kind}s are called '{item.name}'", item.span)
            seen.add(item.name)
    for population in network.populations:
        check.population(population)
    for projection in network.projections:
        check.projection(projection)
    for source in network.inputs:
        check.input(source)
    if network.experiment is not None:
        check.experiment(network.experiment)
    return check.issues


@dataclass(slots=True)
class _Check:
    network: Network
    components: dict[str, Component]
    populations: dict[str, Population]
    issues: list[Issue] = field(default_factory=list)

    def report(self, code: str, message: str, span: Span | None, hint: str = "") -> None:
        """Add an error."""
        place = span or self.network.span
        self.issues.append(Issue(code, Level.ERROR, message, place, "", hint))

    def component(self, name: str, what: str, span: Span | None) -> Component | None:
        """The component called `name`, or None and V141."""
        found = self.components.get(name)
        if found is None:
            message = f"{what} is made of the component '{name}', which does not exist"
            self.report("V141", message, span, suggest(name, self.components))
        return found

    def population_of(self, name: str, what: str, span: Span | None) -> Population | None:
        """The population called `name`, or None and V142."""
        found = self.populations.get(name)
        if found is None:
            message = f"{what} names the population '{name}', which does not exist"
            self.report("V142", message, span, suggest(name, self.populations))
        return found

    def population(self, item: Population) -> None:
        """Size, positions and values per cell."""
        what = f"the population '{item.name}'"
        component = self.component(item.component, what, item.span)
        if item.size < 0:
            self.report("V148", f"{what} has the size {item.size}", item.span)
        if item.positions is not None and item.positions.shape != (item.size, 3):
            message = f"{what} has positions of shape {item.positions.shape}, not ({item.size}, 3)"
            self.report("V148", message, item.span)
        arrays = (("parameter", item.parameters), ("initial value", item.initial))
        for kind, values in arrays:
            for name, array in values.items():
                self.cell_values(item, f"the {kind} '{name}' of {what}", array)
        groups = (
            ("parameter", [*item.parameters, *item.spread_parameters]),
            ("initial value", [*item.initial, *item.spread_initial]),
        )
        if component is None:
            return
        # what belongs to a child goes by its path, which only `flatten` can follow
        parameters = [parameter.name for parameter in component.parameters]
        states = [state.name for state in component.state_variables]
        for (kind, names), known in zip(groups, (parameters, states), strict=True):
            for name in names:
                if name not in known and not component.children:
                    message = f"'{item.component}' of {what} has no {kind} '{name}'"
                    self.report("V147", message, item.span, suggest(name, known))

    def cell_values(self, item: Population, what: str, array: Floats) -> None:
        """One finite number for each cell."""
        if array.shape != (item.size,):
            message = f"{what} has the shape {array.shape}, not ({item.size},)"
            self.report("V147", message, item.span)
        elif (bad := _first_not_finite(array)) is not None:
            self.report("V147", f"{what} is {array[bad]} for cell {bad}", item.span)

    def projection(self, item: Projection) -> None:
        """Ends, synapses and arrays."""
        what = f"the projection '{item.name}'"
        if item.kind not in KINDS:
            hint = f"one of {', '.join(KINDS)}"
            self.report("V151", f"{what} has the unknown kind '{item.kind}'", item.span, hint)
        elif item.kind != "event" and not item.synapse:
            self.report("V151", f"{what} is {item.kind} but names no synapse", item.span)
        source = self.population_of(item.source, what, item.span)
        target = self.population_of(item.target, what, item.span)
        for name in dict.fromkeys((item.synapse, item.pre_synapse)):
            if name:
                self.component(name, what, item.span)
        self.rule(item, what)
        count = item.pre.shape
        for name, array in (("post", item.post), ("weight", item.weight), ("delay", item.delay)):
            if array is not None and array.shape != count:
                message = f"{what} has {count} source indices but {array.shape} of {name}"
                self.report("V143", message, item.span)
        self.indices(item.pre, source, what, item.span)
        self.indices(item.post, target, what, item.span)
        self.weights(item.weight, what, item.span)
        if item.delay is not None:
            bad = _first((item.delay < 0) | ~_finite(item.delay))
            if bad is not None:
                message = f"{what} has the delay {item.delay[bad]} s at connection {bad}"
                self.report("V145", message, item.span, "delays are finite and not negative")
        groups = (("parameter", item.parameters), ("initial value", item.initial))
        for kind, values in groups:
            for name, array in values.items():
                if array.shape != count or _first_not_finite(array) is not None:
                    message = f"the {kind} '{name}' of {what} is not one finite number a connection"
                    self.report("V147", message, item.span)
        self.links(item, source, target)
        self.ports(item, source, target)

    def rule(self, item: Projection, what: str) -> None:
        """A rule stands alone, counts the projection's own ends, and can be followed."""
        rule = item.rule
        if rule is None:
            return
        has_own = len(item.pre) or item.weight is not None or item.delay is not None
        if has_own or len(item.post) or item.parameters or item.initial:
            self.report("V152", f"{what} has a rule and connections as well", item.span)
        known = {*self.populations}
        names = [name for name in (*rule.sources, *rule.targets) if name not in known]
        for name in names:
            self.population_of(name, what, item.span)
        if item.source not in rule.sources or item.target not in rule.targets:
            self.report("V152", f"the rule of {what} is about other populations", item.span)
        elif not names:
            try:
                check_rule(rule, *sizes(self.network, rule), item.span)
            except ModelError as problem:
                self.issues += problem.issues

    def links(self, item: Projection, source: Population | None, target: Population | None) -> None:
        """Links join ports that exist, and are of one kind."""
        holders = {
            "pre": self.components.get(source.component) if source else None,
            "post": self.components.get(target.component) if target else None,
            "synapse": self.components.get(item.synapse),
        }
        for link in item.links:
            ends = ((link.source, link.source_port, True), (link.target, link.target_port, False))
            kinds = []
            for part, port, sends in ends:
                holder = holders.get(part)
                if holder is None or holder.children:
                    if part not in holders or (part == "synapse" and not item.synapse):
                        message = f"the projection '{item.name}' has no part '{part}'"
                        self.report("V149", message, link.span or item.span)
                    continue
                kind = _port_kind(holder, port, sends)
                kinds.append(kind)
                if not kind:
                    what = "output" if sends else "input"
                    message = (
                        f"'{holder.name}' has no {what} '{port}', which the projection "
                        f"'{item.name}' needs"
                    )
                    self.report("V149", message, link.span or item.span)
            if len(kinds) == 2 and all(kinds) and kinds[0] != kinds[1]:
                message = (
                    f"'{link.source_port}' sends {kinds[0]}, '{link.target_port}' takes {kinds[1]}"
                )
                self.report("V149", message, link.span or item.span)

    def ports(self, item: Projection, source: Population | None, target: Population | None) -> None:
        """Ports and lists that are named exist."""
        sender = self.components.get(source.component) if source else None
        receiver = self.components.get(target.component) if target else None
        named: list[tuple[str, str, Component | None, list[str]]] = []
        if sender is not None:
            known = [port.name for port in sender.event_outputs]
            named.append((item.source_port, "output port", sender, known))
        if receiver is not None:
            holder = self.components.get(item.synapse) if item.synapse else receiver
            if holder is not None:
                known = [port.name for port in holder.event_inputs]
                named.append((item.target_port, "input port", holder, known))
            known = [attachment.name for attachment in receiver.attachments]
            named.append((item.attachment, "attachment list", receiver, known))
        for name, kind, component, known in named:
            if name and component is not None and name not in known:
                message = f"'{component.name}' has no {kind} '{name}', which the projection "
                message += f"'{item.name}' needs"
                self.report("V149", message, item.span, suggest(name, known))

    def input(self, item: Input) -> None:
        """Component, population, indices and weights."""
        what = f"the input '{item.name}'"
        self.component(item.component, what, item.span)
        population = self.population_of(item.population, what, item.span)
        self.indices(item.index, population, what, item.span)
        self.weights(item.weight, what, item.span)
        if item.weight is not None and item.weight.shape != item.index.shape:
            message = f"{what} has {item.index.shape} indices but {item.weight.shape} weights"
            self.report("V143", message, item.span)

    def indices(
        self, array: Ints, population: Population | None, what: str, span: Span | None
    ) -> None:
        """All within the population."""
        if population is None:
            return
        outside = (array < 0) | (array >= population.size)
        bad = _first(outside)
        if bad is not None:
            message = (
                f"{what} names cell {array[bad]} of '{population.name}', "
                f"which has {population.size} cells ({int(outside.sum())} such indices)"
            )
            self.report("V144", message, span, f"cells count from 0 to {population.size - 1}")

    def weights(self, array: Floats | None, what: str, span: Span | None) -> None:
        """All finite."""
        bad = None if array is None else _first_not_finite(array)
        if array is not None and bad is not None:
            self.report("V146", f"{what} has the weight {array[bad]} at connection {bad}", span)

    def experiment(self, item: Experiment) -> None:
        """Length and step are finite and not negative; the step fits into the length."""
        for name, value in (("length", item.length), ("step", item.step)):
            if not math.isfinite(value) or value < 0:
                message = f"the {name} of the run '{item.name}' is {value} s"
                self.report("V150", message, self.network.span)
        if 0 < item.length < item.step:
            message = f"the step of {item.step} s is longer than the run of {item.length} s"
            self.report("V150", message, self.network.span)


def _port_kind(component: Component, port: str, sends: bool) -> str:
    """`events` or `values`, "" if there is no such port."""
    events = component.event_outputs if sends else component.event_inputs
    values = component.exposures if sends else component.analog_inputs
    if any(item.name == port for item in events):
        return "events"
    return "values" if any(item.name == port for item in values) else ""


def _finite(array: Floats) -> Bools:
    import numpy as np

    return np.isfinite(array)


def _first(mask: Bools) -> int | None:
    """The index of the first true element of a vector."""
    hits = mask.nonzero()[0]
    return int(hits[0]) if len(hits) else None


def _first_not_finite(array: Floats) -> int | None:
    return _first(~_finite(array))
