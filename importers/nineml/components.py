"""Components of the user layer: a class with values, its prototypes, its regime at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Log, error, suggest
from ...canonical_model.expr import Binary, Expr, Number
from ...canonical_model.network import Spread
from ...canonical_model.units import NONE, Dimension, Quantity, Unit, dimension_name
from .check_dynamics import check_dynamics
from .distributions import arguments, drawing, kind_of
from .documents import Documents
from .kept import VALUES, values_text
from .lower import ANNOTATIONS, CLASS, Lowering, with_initial_regime
from .options import Options
from .syntax import Document, Dynamics, Library, Multi, Properties, Reference, Value

if TYPE_CHECKING:
    from ...canonical_model.network import Floats

INITIAL = "initial_"  # in our annotations: the expression behind an initial value


@dataclass(frozen=True, slots=True)
class Given:
    """A value in the unit of its author: a number, one for each index, or a distribution."""

    value: Value
    unit: Unit
    kind: str = ""  # of a distribution
    args: tuple[float, ...] = ()

    def spread(self, seed: int, key: str) -> Spread:
        """The value for any number of instances; drawn ones depend on `seed` and `key`."""
        value = self.value
        kind, arguments = self.kind, self.args
        if value.single is not None:
            kind, arguments = "constant", (value.single,)
        elif value.array is not None:
            kind, arguments = "array", value.array
        return Spread(
            kind=kind, arguments=arguments, scale=self.unit.scale, offset=self.unit.offset,
            seed=seed, key=key,
        )  # fmt: skip

    def numbers(self, size: int, seed: int, key: str) -> Floats:
        """One number for each of `size` instances, in SI. Raises ModelError X212."""
        from ...canonical_model.draw import values

        array = self.value.array
        if array is not None and len(array) != size:
            message = f"'{self.value.name}' has {len(array)} values for {size} instances of '{key}'"
            raise error("X212", message, self.value.span)
        return values(self.spread(seed, key), size, self.value.span)


@dataclass(frozen=True, slots=True)
class Instance:
    """A component with its values; those that are not single numbers wait for a population."""

    component: model.Component
    properties: Mapping[str, Given] = field(default_factory=dict)
    initials: Mapping[str, Given] = field(default_factory=dict)


@dataclass(slots=True)
class Components:
    """Makes instances; classes are checked and lowered once."""

    documents: Documents
    options: Options
    log: Log
    classes: dict[tuple[str, str], model.Component] = field(default_factory=dict)
    notes: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    heeded: set[str] = field(default_factory=set)

    def lowered(self, thing: Dynamics | Multi, document: Document) -> model.Component:
        """The class as a component without values. Raises ModelError with its mistakes."""
        key = (document.file, thing.name)
        if key in self.classes:
            return self.classes[key]
        if isinstance(thing, Multi):
            from .multi import lower_multi

            found, self.notes[key] = lower_multi(self, thing, document), {}
        else:
            own = Log()
            checked = check_dynamics(thing, document, own)
            # remarks stay, mistakes leave together
            for issue in own:
                if issue.level is not Level.ERROR:
                    self.log.add(issue.code, issue.level, issue.message, issue.span, issue.text,
                                 issue.hint)  # fmt: skip
            own.stop_on_error()
            found = Lowering(checked, self.log).component()
            self.notes[key] = thing.notes
        self.classes[key] = found
        return found

    def bare(self, thing: Dynamics | Multi, document: Document, asked: str = "") -> model.Component:
        """A class that no component gives values to, in the regime `asked` or as the options say."""
        found = self.lowered(thing, document)
        notes = self.notes[document.file, thing.name]
        if isinstance(thing, Dynamics):  # parts of joined ones have been asked one by one
            asked = asked or self.asked(found)
        return with_initial_regime(found, notes, asked, self.log)

    def asked(self, component: model.Component) -> str:
        """The regime at start that the user asks for, "" for none.

        A name without owner is for those that have such a regime.
        """
        found = self.asked_by_name(component.name) or self.asked_by_name(
            component.extras.get(CLASS, "")
        )
        anyone = self.options.regimes.get("", "")
        if not found and any(r.name == anyone for m in component.machines for r in m.regimes):
            self.heeded.add("")
            return anyone
        return found

    def asked_by_name(self, owner: str) -> str:
        """The regime that the user asks for by the name of its owner."""
        if not owner or owner not in self.options.regimes:
            return ""
        self.heeded.add(owner)
        return self.options.regimes[owner]

    def check_heeded(self) -> None:
        """Every regime that was asked for must have been somebody's. Raises ModelError X131."""
        for owner, regime in self.options.regimes.items():
            if owner in self.heeded:
                continue
            names = [*self.documents.main.things, *self.heeded]
            what = f"nothing is called '{owner}', which" if owner else "nothing has the regime that"
            message = f"{what} is to start in '{regime}'"
            known = [
                r.name for c in self.classes.values() for m in c.machines for r in m.regimes
            ]  # fmt: skip
            hint = suggest(owner, names) if owner else suggest(regime, known)
            raise error("X131", message, hint=hint or f"regimes: {', '.join(sorted(set(known)))}")

    def instance(self, reference: Reference) -> Instance:
        """A component with its values. Raises ModelError X2xx."""
        thing, document = self.documents.find(reference)
        if isinstance(thing, Multi) and thing.is_properties:
            from .multi import multi_instance

            return multi_instance(self, thing, document)
        properties, definition, documents = self.documents.resolved(reference)
        home = documents[-1]
        if not isinstance(definition, Dynamics | Multi):
            message = f"'{properties.name}' is no dynamics but a {_kind(definition)}"
            raise error("X046", message, reference.span)
        component = self.lowered(definition, home)
        given, initials = self.merged(reference)
        extras = dict(component.extras)
        if properties.annotations:
            extras[f"{ANNOTATIONS}.component"] = properties.annotations
        component = replace(component, name=properties.name, extras=extras, span=properties.span)
        notes = self.notes[home.file, definition.name]
        is_joined = isinstance(definition, Multi)
        asked = self.asked_by_name(component.name) if is_joined else self.asked(component)
        component = with_initial_regime(component, notes, asked, self.log)
        component = self.filled(component, given, initials, properties, notes)
        kept = values_text(component, given, initials)
        if kept:
            component = replace(component, extras={**component.extras, VALUES: kept})
        return Instance(component, given, initials)

    def merged(self, reference: Reference) -> tuple[dict[str, Given], dict[str, Given]]:
        """Values by name: the component's own before those of its prototypes."""
        properties: dict[str, Given] = {}
        initials: dict[str, Given] = {}
        for holder in self.documents.values(reference):
            for found, values in ((properties, holder.properties), (initials, holder.initials)):
                own: set[str] = set()
                for value in values:
                    if value.name in own:
                        message = f"'{value.name}' of '{holder.name}' is given twice"
                        raise error("X213", message, value.span)
                    own.add(value.name)
                    if value.name not in found:
                        found[value.name] = self.given(value, holder, reference)
        return properties, initials

    def given(self, value: Value, holder: Properties, reference: Reference) -> Given:
        """A value with its unit, which the document of its component defines."""
        document = self.home(holder, reference)
        unit = document.units.get(value.units)
        if unit is None:
            message = f"the unit '{value.units[:60]}' of '{value.name}' is not defined"
            raise error(
                "X042", message, value.units_span, hint=suggest(value.units, document.units)
            )
        if value.random is None:
            return Given(value, unit)
        kind, args = self.distribution(value.random)
        return Given(value, unit, kind, args)

    def home(self, holder: Properties, reference: Reference) -> Document:
        """The document in which a component of a chain of prototypes stands."""
        current: Reference | None = reference
        while current is not None:
            thing, document = self.documents.find(current)
            if thing is holder:
                return document
            current = thing.prototype if isinstance(thing, Properties) else None
        return self.documents.main

    def distribution(self, reference: Reference) -> tuple[str, tuple[float, ...]]:
        """Kind and parameters of the distribution that a reference means."""
        library, values = self.library(reference, "distribution")
        kind = kind_of(library)
        return kind, arguments(kind, values, reference.span)

    def library(self, reference: Reference, kind: str) -> tuple[Library, dict[str, float]]:
        """A rule or distribution with its single values in SI. Raises ModelError X046, X214."""
        _, definition, _ = self.documents.resolved(reference)
        if not isinstance(definition, Library) or definition.kind != kind:
            message = f"'{reference.name}' is no {kind} but a {_kind(definition)}"
            raise error("X046", message, reference.span)
        given, _ = self.merged(reference)
        wanted = {item.name for item in definition.parameters}
        for name in sorted(given.keys() ^ wanted):
            is_missing = name in wanted
            what = "has no value" if is_missing else "is no parameter"
            span = reference.span if is_missing else given[name].value.span
            raise error("X214", f"'{name}' of '{reference.name}' {what}", span)
        found = {}
        for name, item in given.items():
            if item.value.single is not None:
                found[name] = item.value.single * item.unit.scale
        return definition, found

    def filled(
        self,
        component: model.Component,
        properties: Mapping[str, Given],
        initials: Mapping[str, Given],
        holder: Properties,
        notes: Mapping[str, str],
    ) -> model.Component:
        """The component with single values in place; all mistakes at once."""
        log = Log()
        parameters = []
        for item in component.parameters:
            given = properties.get(item.name)
            if given is None:
                message = f"'{holder.name}' gives no value to the parameter '{item.name}'"
                log.add("X214", Level.ERROR, message, holder.span)
                continue
            _check_dimension(given, item.dimension, log)
            single = given.value.single
            value = None if single is None else Quantity(single, given.unit)
            parameters.append(replace(item, value=value))
        known = {item.name for item in component.parameters}
        for name in properties.keys() - known:
            message = f"'{component.type}' has no parameter '{name}'"
            span = properties[name].value.span
            log.add("X214", Level.ERROR, message, span, hint=suggest(name, known))
        log.stop_on_error()
        states = self.started(component, initials, holder, notes)
        return replace(component, parameters=tuple(parameters), state_variables=states)

    def started(
        self,
        component: model.Component,
        initials: Mapping[str, Given],
        holder: Properties,
        notes: Mapping[str, str],
    ) -> tuple[model.StateVariable, ...]:
        """State variables with their initial values; zero, with a note, where none is given."""
        found, silent = [], []
        for item in component.state_variables:
            given = initials.get(item.name)
            if given is not None and given.unit.dimension != item.dimension:
                message = (
                    f"the initial value of '{item.name}' is {dimension_name(given.unit.dimension)}, "
                    f"not {dimension_name(item.dimension)}; it is not used"
                )
                self.log.add("X221", Level.WARNING, message, given.value.units_span)
                given = None
            if given is None and item.span is not None:
                silent.append(item.name)
            found.append(replace(item, initial=_start(item, given, notes)))
        known = {item.name for item in component.state_variables}
        for name, given in initials.items():
            if name not in known:
                message = (
                    f"'{component.type}' has no state variable '{name}'; its value is not used"
                )
                hint = suggest(name, known)
                self.log.add("X220", Level.WARNING, message, given.value.span, hint=hint)
        if silent:
            message = f"'{holder.name}' gives no initial value to {', '.join(silent)}: zero"
            self.log.add("X222", Level.NOTE, message, holder.span)
        return tuple(found)


def _start(item: model.StateVariable, given: Given | None, notes: Mapping[str, str]) -> Expr | None:
    """The initial value as an expression; None where a population must say."""
    from ...canonical_model.diagnostics import ModelError
    from ...canonical_model.expr_parse import parse_expr

    text = notes.get(INITIAL + item.name)
    if text is not None:
        try:
            return parse_expr(text)
        except ModelError:
            # somebody changed our annotation: the number counts
            pass
    if given is None:
        return None
    unit = given.unit
    if given.value.single is not None:
        return _literal(given.value.single, unit)
    if given.kind:
        number = drawing(given.kind, given.args)
        if number is not None and not unit.offset:
            pure = unit.dimension == NONE and unit.scale == 1.0
            return number if pure else Binary("*", number, _literal(1.0, unit))
    return None


def _literal(value: float, unit: Unit) -> Number:
    pure = unit.dimension == NONE and unit.scale == 1.0 and not unit.offset
    return Number(value, None if pure else unit)


def _check_dimension(given: Given, wanted: Dimension, log: Log) -> None:
    if given.unit.dimension != wanted:
        message = (
            f"'{given.value.name}' is given in {dimension_name(given.unit.dimension)} "
            f"('{given.unit.symbol}') where {dimension_name(wanted)} is declared"
        )
        log.add("X215", Level.ERROR, message, given.value.units_span)


def _kind(thing: object) -> str:
    if isinstance(thing, Library):
        return {"rule": "connection rule", "distribution": "random distribution"}[thing.kind]
    return {"Multi": "multi-dynamics", "Properties": "component"}.get(
        type(thing).__name__, type(thing).__name__.lower()
    )


__all__ = ["Components", "Given", "Instance"]
