"""Run a model and what it was converted to on the same stimulus, and say how far they are apart."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..canonical_model.diagnostics import Log, error
from ..canonical_model.model import Model
from ..canonical_model.passes.partners import is_synapse
from . import registry
from .behaviour.results import DIFFERENT, SAME, Comparison
from .behaviour.stimulus import LENGTH
from .convert import SOLVERS, choose_step, chosen, convert, read_source
from .quantities import seconds
from .readback import compare_models, read_results
from .subjects import subjects
from .trial import Trial, synapse_trial, trial

if TYPE_CHECKING:
    from ..exporters.format import Exporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was run (`trials`), or compared after reading the result back (`comparisons`)."""

    target: str
    how: str
    trials: tuple[Trial, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """`same` or `different`."""
        found = [item.verdict for item in self.trials]
        found += [item.verdict for item in self.comparisons]
        return SAME if found and set(found) == {SAME} and not self.missing else DIFFERENT

    def to_json(self) -> dict[str, Any]:
        """The whole as JSON-ready data."""
        return {
            "target": self.target,
            "how": self.how,
            "verdict": self.verdict,
            "trials": [item.to_json() for item in self.trials],
            "components": [item.to_json() for item in self.comparisons],
            "missing": list(self.missing),
        }


def verify(
    source: str | Path | Model,
    *,
    to: str = "spinnaker2",
    component: str | None = None,
    length: str | float | None = None,
    dt: str | float | None = None,
    solver: str = "auto",
    search_path: Sequence[str | Path] = (),
    import_options: Mapping[str, str] | None = None,
    log: Log | None = None,
    stage: Callable[[str], None] = lambda text: None,
    data: bytes | None = None,
) -> Verified:
    """Run the source on the reference simulator and the result of converting it to `to`.

    A target that can be executed is run (SpiNNaker2's emulator, NEST); one that can be read back is: its
    network runs beside the source's, components without one are compared as `diff` does. A network runs
    its own experiment, a component a common stimulus.
    Raises ModelError A232 for a target that can be neither run nor read, and what conversion raises.
    """
    log = Log() if log is None else log
    if solver not in SOLVERS:
        raise error("A012", f"there is no solver '{solver}'")
    target = registry.exporter(to)
    step, wanted = seconds(dt, "dt"), seconds(length, "length")
    stage("reading")
    model = read_source(source, data, component, search_path, log, import_options)
    if component is not None:
        model = chosen(model, component)
    if target.run:
        trials = _run(model, target, solver, wanted, step, log, stage)
        how = f"run on {target.backends[0]}"
        return Verified(target=to, how=how, trials=trials)
    return _read_back(model, target, solver, wanted, step, log, stage)


def _run(
    model: Model,
    target: Exporter,
    solver: str,
    length: float | None,
    step: float | None,
    log: Log,
    stage: Callable[[str], None],
) -> tuple[Trial, ...]:
    """The result beside the source: synapses as connections where they are no nodes, then what is left."""
    trials = []
    if target.run_synapse and model.network is None:
        connected = [item for item in model.components if is_synapse(item)]
        model = replace(
            model, components=tuple(item for item in model.components if not is_synapse(item))
        )
        chosen = choose_step(step, 0.0, log)
        for item in connected:
            stage(f"running {item.name}")
            trials.append(synapse_trial(model, item, target, solver, length or LENGTH, chosen, log))
    if model.components or not trials:
        for name, subject in subjects(model, length, step, log):
            stage(f"running {name}")
            trials.append(trial(name, subject, target, solver, log))
    return tuple(trials)


def _read_back(
    model: Model,
    target: Exporter,
    solver: str,
    length: float | None,
    step: float | None,
    log: Log,
    stage: Callable[[str], None],
) -> Verified:
    """The result read again and compared with the source. Raises ModelError A232."""
    stage("converting")
    result = convert(model, to=target.name, solver=solver, dt=step, log=log)
    with tempfile.TemporaryDirectory(prefix="interspike-") as name:
        folder = Path(name) / "result"
        result.write(folder)
        models = read_results(folder, [item.path for item in result.artifacts])
    if not any(item.components for item in models):
        message = f"what is written for '{target.name}' can be neither run nor read back here"
        raise error("A232", message)
    found = compare_models(model, models, target, length=length, step=step, stage=stage)
    return Verified(
        target=target.name, how="read back", trials=found.trials, comparisons=found.comparisons,
        missing=found.missing,
    )  # fmt: skip


__all__ = ["DIFFERENT", "SAME", "Trial", "Verified", "verify"]
