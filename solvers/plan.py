"""The update of one component over one step, as straight-line programs that any target can print.

`planner.plan_update` decides; the reference simulator (grid mode) and every exporter run what it
decided, so that they agree by construction. Nothing here computes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..canonical_model.expr import Expr

STEP = "step h"  # the length of the step in a plan; no name of a model has a blank


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A number per instance, computed once in float64 on the host (propagators, reciprocals).

    `value` reads parameters, constants, derived parameters, earlier coefficients and the step.
    """

    name: str
    value: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixExponential:
    """Coefficients names[i][j] = expm(entries * h)[i][j], computed per instance on the host ("" unused)."""

    names: tuple[tuple[str, ...], ...]
    entries: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """target = value. Targets are fresh local names; each is assigned once (SSA)."""

    target: str
    value: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Instructions in order, then all commits at once: state := local.

    The instructions read states as they are at the start of the step, analog inputs (held over the
    step), `t` (the step's start), the step, parameters and coefficients. Derived variables that are needed
    appear as instructions. With `error` non-empty the program is one trial of an adaptive method: the
    step is accepted when max(|error|) <= 1 (each already divided by its tolerance), see schemes.py; the
    states of `carried` move along from trial to trial and have their old value back at the end.
    """

    instructions: tuple[Instruction, ...]
    commits: tuple[tuple[str, str], ...]
    error: tuple[str, ...] = ()
    carried: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """How one strongly connected set of states is solved, and why: what `inspect` shows."""

    states: tuple[str, ...]
    kind: str
    scheme: str
    reason: str
    regimes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePlan:
    """Programs by active regimes (one name per machine, in order; `()` for a component without any).

    A component with an `update` program has `integrations` instead: one program for each distinct set of
    variables that an `Integrate` of it names.
    """

    scheme: str
    coefficients: tuple[Coefficient, ...]
    matrices: tuple[MatrixExponential, ...]
    programs: tuple[tuple[tuple[str, ...], Program], ...]
    blocks: tuple[Block, ...]
    integrations: tuple[tuple[tuple[str, ...], Program], ...] = ()

    def all_programs(self) -> tuple[Program, ...]:
        """Every program, whatever selects it."""
        return tuple(program for _, program in (*self.programs, *self.integrations))
