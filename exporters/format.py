"""What an exporter tells about itself: the one constant `FORMAT` of each format folder.

Standard library only, see `importers/format.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..canonical_model.abilities import Ability


class Executed(Protocol):
    """What running an export gives: event times by label, and rows of traces by label, in SI."""

    @property
    def events(self) -> Mapping[str, Sequence[float]]: ...

    @property
    def times(self) -> Sequence[float]: ...

    @property
    def traces(self) -> Mapping[str, Sequence[float]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """How a target is written.

    `export` is the dotted path (`package.module:function`) of
    `export(subject, *, scheme, step, source, log, name) -> tuple[Artifact, ...]`: `subject` is the
    wired `Circuit` or the `Model`, as `takes` says; `scheme` a solver's name, `step` in seconds,
    `source` the model's Provenance. `run` is the dotted path of
    `run(folder, *, backend, length) -> Executed` for targets that `interspike run` can build and
    execute on one of `backends` (the default first); `length` is in seconds, None as exported.
    `build` is the dotted path of `build(folder) -> Path` for targets whose output is compiled.
    `index` is the dotted path of `index(results, read) -> tuple[Artifact, ...]`, which makes of many exports
    one thing (a package, a module): `results` maps folders to the files in them, both relative to
    where the artifacts will lie, and `read` gives the bytes of `<folder>/<file>`.
    `solvers` are names of solvers that this target has besides those of all.
    `together` is the dotted path of `together(circuit) -> Circuit` where the target integrates parts as one
    system that the model keeps apart (synapses with their cells): the same behaviour but for the grid.
    `integrates` is the dotted path of `integrates(circuit, scheme) -> str` where the target chooses another
    solver than the reference simulator: that one of the latter that does the same.
    `order` is the dotted path of `order(circuit) -> tuple[str, ...]` where the target takes the stages of a
    step in another order than the reference simulator (`solvers.grid.StepOrder`); () for the latter's own.
    `run_synapse` is the dotted path of `run_synapse(folder, target, record, spikes, *, delay, steps, step)
    -> Executed` where synapses are no nodes of a network: one connection of an exported synapse (see
    `app.synapses`).
    `comment` says what begins a block of comment, each line of it, and what ends it, for text that may
    carry comments at its end (there the model that it was made from travels along, `app/origin.py`).
    `scratch` names the folders that building leaves inside the output; a new conversion may delete them.
    """

    name: str
    title: str
    export: str
    takes: Literal["circuit", "model"]
    abilities: Mapping[str, Ability] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    run: str = ""
    build: str = ""
    backends: tuple[str, ...] = ()
    index: str = ""
    solvers: tuple[str, ...] = ()
    together: str = ""
    integrates: str = ""
    order: str = ""
    run_synapse: str = ""
    comment: tuple[str, str, str] | None = None
    scratch: tuple[str, ...] = ("build", "__pycache__")
