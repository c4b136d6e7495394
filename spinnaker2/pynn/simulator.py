"""What PyNN's common code wants of a simulator: its name, cell identities and the state of the run."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyNN import common
from pyNN.common.control import BaseState

from ...canonical_model.diagnostics import Level, Log

if TYPE_CHECKING:
    from .engine import Engine

name = "interspike.spinnaker2"
logger = logging.getLogger("PyNN")


class ID(int, common.IDMixin):
    """A cell: a number that knows its population (`parent`)."""

    def __init__(self, number: int) -> None:
        int.__init__(number)
        common.IDMixin.__init__(self)


@dataclass(frozen=True, slots=True)
class Options:
    """What `setup` was told beyond PyNN's own arguments; see `control.setup`."""

    backend: str = "host"
    solver: str = "second"
    seed: int = 1
    poisson: str = "auto"
    folder: str | None = None


@dataclass(slots=True)
class Registry:
    """Everything that was created since `setup`, in order of creation."""

    populations: list[Any] = field(default_factory=list)
    projections: list[Any] = field(default_factory=list)
    current_sources: list[Any] = field(default_factory=list)


class State(BaseState):
    """The one simulation that a process holds, as PyNN has it."""

    def __init__(self) -> None:
        BaseState.__init__(self)
        self.mpi_rank = 0
        self.num_processes = 1
        self.options = Options()
        self.wanted_min_delay: float | str = "auto"
        self.wanted_max_delay: float | str = "auto"
        self.dt = 0.1
        self.engine: Engine | None = None
        self.clear()

    def clear(self) -> None:
        """Forget the network: PyNN's setup()."""
        self.recorders: set[Any] = set()
        self.registry = Registry()
        self.log = Log()
        self.id_counter = 0
        self.segment_counter = -1
        self.tick = 0
        self.engine = None
        self.reset()

    def reset(self) -> None:
        """Back to t = 0 with the network and its present parameters."""
        self.running = False
        self.tick = 0
        self.t_start = 0
        self.segment_counter += 1
        if self.engine is not None:
            self.engine.reset()
        known = self.registry
        for item in (*known.populations, *known.projections, *known.current_sources):
            item._forget_history()

    @property
    def t(self) -> float:
        """Time in ms; a whole number of steps."""
        return self.tick * self.dt if self.tick else 0.0

    @property
    def min_delay(self) -> float:
        """The shortest delay that is allowed, or of what exists if that was left open (ms)."""
        if self.wanted_min_delay != "auto":
            return float(self.wanted_min_delay)
        return min((p._delay_range()[0] for p in self._delaying()), default=self.dt)

    @property
    def max_delay(self) -> float:
        """The longest delay that is allowed, or of what exists if that was left open (ms)."""
        if self.wanted_max_delay != "auto":
            return float(self.wanted_max_delay)
        return max((p._delay_range()[1] for p in self._delaying()), default=self.dt)

    def _delaying(self) -> list[Any]:
        return [item for item in self.registry.projections if len(item)]

    def run(self, simtime: float) -> None:
        """Advance by `simtime` ms."""
        self.run_until(self.t + simtime)

    def run_until(self, tstop: float) -> None:
        """Advance to `tstop` ms, rounded to whole steps."""
        target = round(tstop / self.dt)
        engine = self.running_engine()
        if target > self.tick:
            told = len(self.log.issues)
            engine.advance(target)
            self.tick = target
            for issue in self.log.issues[told:]:
                (logger.info if issue.level is Level.NOTE else logger.warning)(issue.render())
        self.running = True

    def running_engine(self) -> Engine:
        """The engine, made when first wanted."""
        from .engine import make_engine

        if self.engine is None:
            self.engine = make_engine(self)
        return self.engine


state = State()
