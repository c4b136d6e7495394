"""Instructions and cycles of a neuron's update, counted on the expressions before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...canonical_model.expr import Binary, Call, Conditional, Expr, Name, Unary, walk
from ...canonical_model.model import Assign, Declare, If, Integrate, Statement
from ...canonical_model.query import expressions, handlers, inner_bodies, regimes
from ...solvers.plan import Program
from .plan import ModelPlan

# (instructions, cycles) with their call; counted under QEMU, cycles by ARM's table for the Cortex-M4F
CALLS = {
    "exp": (46, 62), "expm1": (50, 66), "exprel": (44, 58), "log": (60, 110), "log10": (66, 120),
    "sqrt": (1, 14), "abs": (1, 1), "min": (4, 5), "max": (4, 5), "sign": (6, 8), "heaviside": (6, 8),
    "floor": (12, 16), "ceil": (16, 20), "round": (24, 30), "trunc": (14, 18), "uniform": (26, 34),
    "normal": (200, 330), "poisson": (120, 200), "sin": (70, 110), "cos": (70, 110),
    "tan": (120, 200), "tanh": (80, 120), "sinh": (80, 120), "cosh": (80, 120),
}  # fmt: skip
OTHER_CALL = (120, 200)
POWER = (130, 230)
MODULO = (20, 40)
TEST = (3, 5)  # compare, move flags, branch
LOOP = (6, 9)  # counting, addressing, branch back
TYPE = (6, 9)  # a receptor type: read and clear its ring buffer, scale, add
MEMORY = (1, 2)  # a load or a store


@dataclass(frozen=True, slots=True)
class Cost:
    """Per neuron and tick; cycles without allowance for what an emulator cannot see."""

    instructions: float
    cycles: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.instructions + other.instructions, self.cycles + other.cycles)


NOTHING = Cost(0.0, 0.0)


def _cost(pair: tuple[int, int], times: int = 1) -> Cost:
    return Cost(float(times * pair[0]), float(times * pair[1]))


def neuron_cost(model: ModelPlan, types: int) -> Cost:
    """A neuron in a tick without packets: the longest program, all conditions, ring and loop."""
    component = model.component
    state = len(component.state_variables) + len(component.machines)
    total = _cost(LOOP) + _cost(TYPE, types) + _cost(MEMORY, 2 * state + len(model.own))
    total += max((_program(p) for _, p in model.update.programs), key=_cycles, default=NOTHING)
    if component.update is not None:
        total += _body(component.update, dict(model.update.integrations))
    derived = {d.name: d.value for d in component.derived_variables}
    conditions = list(component.on_conditions)
    for regime in regimes(component):
        conditions += regime.on_conditions
        derived.update({d.name: d.value for d in regime.derived_variables})
    for item in conditions:
        total += _cost(TEST) + _expression(item.test) + _derived(item.test, derived)
    for handler in handlers(component):
        total += _body(handler.body, {})
    return total


def body_cost(model: ModelPlan, port: str) -> Cost:
    """What an event at a port costs an instance that is not in registers."""
    component = model.component
    state = len(component.state_variables) + len(component.machines)
    total = _cost(LOOP) + _cost(MEMORY, 2 * state)
    for handler in handlers(component):
        if handler.port == port:
            total += _body(handler.body, {})
    return total


def step_cost(model: ModelPlan) -> Cost:
    """A tick of an attached instance without events; nothing where only events change it."""
    component = model.component
    if not (
        any(p.commits for _, p in model.update.programs)
        or component.update is not None
        or component.on_conditions
        or any(r.on_conditions for r in regimes(component))
    ):
        return NOTHING
    whole = neuron_cost(model, 0)
    bodies = [_body(handler.body, {}) for handler in handlers(component)]
    return Cost(
        whole.instructions - sum(b.instructions for b in bodies),
        whole.cycles - sum(b.cycles for b in bodies),
    )


def _cycles(cost: Cost) -> float:
    return cost.cycles


def _derived(expr: Expr, values: dict[str, Expr]) -> Cost:
    """What the derived variables that an expression reads cost."""
    total, seen, waiting = NOTHING, set[str](), [expr]
    while waiting:
        for node in walk(waiting.pop()):
            if isinstance(node, Name) and node.id in values and node.id not in seen:
                seen.add(node.id)
                total += _expression(values[node.id])
                waiting.append(values[node.id])
    return total


def _program(program: Program) -> Cost:
    return _sum(_expression(item.value) for item in program.instructions)


def _sum(parts: Iterable[Cost]) -> Cost:
    total = NOTHING
    for part in parts:
        total += part
    return total


def _body(body: Sequence[Statement], programs: dict[tuple[str, ...], Program]) -> Cost:
    """Statements in order; of branches the longest."""
    total = NOTHING
    for item in body:
        total += _sum(_expression(e) for e in expressions(item))
        match item:
            case If():
                total += _cost(TEST, len(item.branches))
                total += max((_body(b, programs) for b in inner_bodies(item)), key=_cycles)
            case Integrate(variables=variables):
                total += _program(programs[variables])
            case Assign() | Declare():
                pass
            case _:
                total += _sum(_body(b, programs) for b in inner_bodies(item))
    return total


def _expression(expr: Expr) -> Cost:
    """Operations of an expression; results that wait for each other cost half a cycle more."""
    instructions, cycles = 0.0, 0.0
    for node in walk(expr):
        pair: tuple[float, float] = (0.0, 0.0)
        match node:
            case Binary("+" | "-" | "*" | "<" | ">" | "<=" | ">=" | "==" | "!=" | "and" | "or"):
                pair = (1.0, 1.5)
            case Binary("/"):
                pair = (1.0, 14.0)
            case Binary("^"):
                pair = POWER if not _is_small_power(node) else (2.0, 3.0)
            case Binary("%"):
                pair = MODULO
            case Unary():
                pair = (0.5, 0.5)
            case Call(function, _):
                pair = CALLS.get(function, OTHER_CALL)
            case Conditional(cases, _):
                pair = (4.0 * len(cases), 6.0 * len(cases))
        instructions += pair[0]
        cycles += pair[1]
    return Cost(instructions, cycles)


def _is_small_power(node: Binary) -> bool:
    from ...canonical_model.expr import Number

    return (
        isinstance(node.right, Number) and 0 < node.right.value <= 16 and node.right.value % 1 == 0
    )
