"""Bodies of statements as LEMS's actions: assignments in order, then events, then a transition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...canonical_model.diagnostics import Level, Log, refuse
from ...canonical_model.expr import (
    ONE,
    ZERO,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Number,
    free_names,
    substitute,
    walk,
)
from ...canonical_model.model import (
    INTEGER,
    Assign,
    Component,
    Declare,
    Emit,
    If,
    OnCondition,
    Report,
    Statement,
    StateVariable,
    Transition,
)

MAX_STATEMENTS = 5000


@dataclass(slots=True)
class Actions:
    """What a handler does, in LEMS's order."""

    assignments: list[tuple[str, Expr]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    regime: str = ""


@dataclass(slots=True)
class Lowering:
    """Lowers the bodies of one component; `states` are what it needs in addition.

    A choice becomes a value that depends on it. An event or transition that depends on a choice sets a
    flag, and a condition on that flag follows: `flagged` holds those conditions.
    """

    component: Component
    fresh: Callable[[str], str]
    log: Log
    flags: set[str]
    states: list[StateVariable] = field(default_factory=list)
    flagged: list[OnCondition] = field(default_factory=list)
    count: int = 0

    def actions(self, body: tuple[Statement, ...]) -> Actions:
        """The body lowered. Raises ModelError P204 for what LEMS cannot do in an event."""
        found = Actions()
        self.run(body, None, found, {})
        return found

    def run(
        self,
        body: tuple[Statement, ...],
        guard: str | None,
        found: Actions,
        local: dict[str, Expr],
    ) -> None:
        """Add the statements of a body that runs only where the state `guard` is above one half."""
        local = dict(local)
        for item in body:
            self.count += 1
            if self.count > MAX_STATEMENTS:
                raise refuse(
                    "P204", f"'{self.component.name}' does too much in one event", item.span
                )
            match item:
                case Assign(target=target, value=value):
                    self.assign(target, substitute(value, local), guard, found)
                case Declare(name=name, value=value, dimension=dimension):
                    slot = self.fresh(name)
                    self.states.append(StateVariable(name=slot, dimension=dimension))
                    found.assignments.append((slot, substitute(value, local)))
                    local[name] = Name(slot)
                case If(branches=branches, otherwise=otherwise):
                    self.choice(branches, otherwise, guard, found, local)
                case Emit(port=port, weight=weight):
                    self.emit(port, weight, guard, found, item)
                case Transition(regime=regime):
                    if guard is None:
                        found.regime = regime
                    else:
                        self.flag(guard, item, found)
                case Report():
                    message = (
                        f"a message of '{self.component.name}' to its user has no place in LEMS"
                    )
                    self.log.add("P220", Level.DROPPED, message, item.span)
                case _:
                    what = type(item).__name__.lower()
                    message = (
                        f"a statement of '{self.component.name}' ({what}) has no place in LEMS"
                    )
                    raise refuse("P204", message, item.span)

    def assign(self, target: str, value: Expr, guard: str | None, found: Actions) -> None:
        """One assignment, which keeps the old value where the guard does not hold."""
        if self.is_integer(target) and not self.whole(value):
            value = Call("trunc", (value,))
        if guard is not None:
            value = Conditional(((_holds(guard), value),), Name(target))
        found.assignments.append((target, value))

    def is_integer(self, name: str) -> bool:
        """A state that holds whole numbers."""
        return any(s.name == name and s.kind == INTEGER for s in self.component.state_variables)

    def whole(self, value: Expr) -> bool:
        """Is an expression a whole number by its form?"""
        for node in walk(value):
            match node:
                case Number(number) if number == int(number):
                    continue
                case Binary("+" | "-" | "*") | Name():
                    continue
                case Call("trunc" | "round" | "ceil" | "floor"):
                    return True
                case _:
                    return False
        integers = {s.name for s in self.component.state_variables if s.kind == INTEGER}
        integers |= {p.name for p in self.component.parameters if p.kind == INTEGER}
        return free_names(value) <= integers

    def choice(
        self,
        branches: tuple[tuple[Expr, tuple[Statement, ...]], ...],
        otherwise: tuple[Statement, ...],
        guard: str | None,
        found: Actions,
        local: dict[str, Expr],
    ) -> None:
        """Each branch behind a flag that says whether it is the one."""
        if guard is None and len(branches) == 1 and not otherwise and _is_plain(*branches[0]):
            ((test, inner),) = branches
            for item in inner:
                assert isinstance(item, Assign)
                value = Conditional(((test, item.value),), Name(item.target))
                found.assignments.append((item.target, substitute(value, local)))
            return
        open_flag = guard
        for test, inner in branches:
            chosen = self.switch()
            condition = substitute(test, local)
            if open_flag is not None:
                condition = Binary("and", _holds(open_flag), condition)
            found.assignments.append((chosen, Conditional(((condition, ONE),), ZERO)))
            rest = self.switch()
            left = Binary("-", Name(open_flag) if open_flag else ONE, Name(chosen))
            found.assignments.append((rest, left))
            self.run(inner, chosen, found, local)
            open_flag = rest
        if otherwise:
            self.run(otherwise, open_flag, found, local)

    def switch(self) -> str:
        """A state that serves as a flag."""
        name = self.fresh("branch")
        self.states.append(StateVariable(name=name))
        self.flags.add(name)
        return name

    def emit(
        self, port: str, weight: Expr | None, guard: str | None, found: Actions, item: Emit
    ) -> None:
        """An event; LEMS's events carry nothing."""
        if weight is not None and weight != ONE:
            message = f"the weight that '{self.component.name}' sends has no place in LEMS"
            self.log.add("P221", Level.DROPPED, message, item.span)
        if guard is None:
            found.events.append(port)
        else:
            self.flag(guard, Emit(port=port, span=item.span), found)

    def flag(self, guard: str, statement: Statement, found: Actions) -> None:
        """`statement` in a condition of its own, which holds once the guard was set."""
        pending = self.fresh("pending")
        self.states.append(StateVariable(name=pending))
        self.flags.add(pending)
        found.assignments.append((pending, Name(guard)))
        body = (Assign(target=pending, value=ZERO), statement)
        self.flagged.append(OnCondition(test=_holds(pending), body=body))


def _is_plain(test: Expr, body: tuple[Statement, ...]) -> bool:
    """Assignments that leave the test as it is."""
    targets = {item.target for item in body if isinstance(item, Assign)}
    return len(targets) == len(body) and not targets & free_names(test)


def _holds(flag: str) -> Expr:
    return Binary(">", Name(flag), Number(0.5))


__all__ = ["Actions", "Lowering"]
