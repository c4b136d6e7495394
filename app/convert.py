"""The whole line: source file -> model -> circuit -> artifacts, with its report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from ..canonical_model.diagnostics import (
    LOSSES,
    Issue,
    Level,
    Log,
    ModelError,
    error,
    suggest,
)
from ..canonical_model.model import Model
from ..exporters.artifact import Artifact
from ..exporters.format import Exporter
from . import load as loading
from . import registry, report, writing
from .quantities import seconds, show

if TYPE_CHECKING:
    from ..canonical_model.circuit import Circuit
    from .pairs import PairLike

Source: TypeAlias = str | Path | Model | Sequence[str | Path | Model]
SOLVERS = ("auto", "exact", "euler", "rk4", "rkf45", "expeuler", "implicit")
DEFAULT_STEP = 1e-4  # s: what most point-neuron models are published with
REPORT = "report.json"
LARGEST = 50_000_000  # bytes of a file that may say what it was made from


class Refusal(ModelError):
    """The target, or `strict`, refused a sound model; `report` says what became of everything."""

    def __init__(self, issues: Sequence[Issue], account: report.Report) -> None:
        super().__init__(issues)
        self.report = account


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A finished conversion: what was made and what became of everything in the source."""

    name: str
    target: str
    artifacts: tuple[Artifact, ...]
    report: report.Report
    scratch: tuple[str, ...] = field(default=(), repr=False)

    def write(self, folder: str | Path, *, staging: Path | None = None) -> Path:
        """Write the artifacts with `report.json` and a manifest as `folder`, whole or not at all.

        The temporary folder is made in `staging`, on the same file system, else beside `folder`.

        Raises ModelError A020 to A023 where the folder is not ours to replace or cannot be written.
        """
        from .. import __version__

        place = Path(folder)
        facts = {"interspike": __version__, "name": self.name, "target": self.target}
        account = Artifact(REPORT, self.report.to_bytes())
        writing.write(place, (*self.artifacts, account), facts, self.scratch, staging)
        return place

    def text(self, path: str) -> str:
        """The artifact at `path` as text; KeyError if there is none."""
        for artifact in self.artifacts:
            if artifact.path == path:
                return artifact.data.decode()
        raise KeyError(path)

    def _repr_html_(self) -> str:
        """The report for notebooks."""
        return self.report._repr_html_()


def convert(
    source: Source,
    *,
    to: str,
    output: str | Path | None = None,
    solver: str = "auto",
    dt: str | float | None = None,
    strict: bool = False,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    import_options: Mapping[str, str] | None = None,
    pairs: Sequence[PairLike] = (),
    suffix: str = "",
    data: bytes | None = None,
    as_written: bool = False,
    origin: bool = True,
    log: Log | None = None,
    stage: Callable[[str], None] = lambda text: None,
) -> Conversion:
    """Convert a model file (or a loaded `Model`, or several) to the target `to`.

    `dt` is a step such as `"0.1ms"` or a number of seconds; without it the experiment's own step holds,
    else 0.1 ms. With `output` the artifacts are written as that folder. `data` gives the (first) source's
    bytes where there is no file, `source` then only names it. `import_options` are those of the
    source's language. `pairs` are neurons and synapses that are made together, as `app.pairs` says;
    `suffix` is added to the models' names. Text targets carry their `origin`, the model that they were
    made from, which an unchanged file is converted from again unless it is to be taken `as_written`.
    `strict` makes every loss an error. `stage` is
    told what is being done.

    Raises ModelError: `refused` is true for a sound model that the target cannot hold, or that strict
    keeps from being converted with losses.
    """
    log = Log() if log is None else log
    target = registry.exporter(to)
    step = seconds(dt, "dt")
    solvers = (*SOLVERS, *target.solvers)
    if solver not in solvers:
        raise error("A012", f"there is no solver '{solver}'", hint=suggest(solver, solvers))
    if output is not None:
        writing.may_write(Path(output), target.scratch)

    stage("reading")
    given = dict(import_options or {})
    model = read_all(source, data, component, search_path, log, given, as_written=as_written)
    if component is not None and not pairs:
        model = chosen(model, component)
    if pairs or suffix:
        from .pairs import with_pairs

        model = with_pairs(model, pairs, suffix, log)
    if model.pairings:
        from .pairs import held_by

        model = held_by(model, target, component, log)
    named = _source_name(source, model)
    options = {"solver": solver}
    experiment = model.network.experiment if model.network else None
    own_step = experiment.step if experiment and experiment.step else DEFAULT_STEP
    if component is not None:
        options["component"] = component
    options.update(import_options or {})

    emit = registry.load_function(target.export, dict(target.needs), target.name)
    subject: Model | Circuit = model
    if target.takes == "circuit":
        stage("wiring")
        subject = wire_model(model, log, component)
        step = choose_step(step, subject.step, log)
    if step is not None:
        options["dt"] = show(step)

    if target.run:
        from .saturation import warn_saturated

        warn_saturated(model, step if step is not None else own_step, log)
    stage(f"writing {target.name}")
    name = safe_name(model.name or PurePath(named).stem)
    try:
        artifacts = emit(
            subject,
            scheme=solver,
            step=step if step is not None else own_step,
            source=replace(model.provenance, source=PurePath(named).name),
            log=log,
            name=name,
        )
        log.stop_on_error()
    except ModelError as problem:
        if not problem.refused:
            raise
        issues = tuple(dict.fromkeys((*log, *problem.issues)))
        account = report.build(model, issues, source=named, target=to, options=options)
        raise Refusal(problem.issues, account) from problem
    account = report.build(
        model, log, source=named, target=to, options=options,
        artifacts=tuple(artifact.path for artifact in artifacts),
    )  # fmt: skip
    if strict:
        _stop_on_loss(log, account)
    if origin and target.comment:
        from .origin import Making, attach

        made = {key: options[key] for key in ("dt",) if dt is not None}
        made.update({"solver": solver} if solver != "auto" else {})
        artifacts = attach(artifacts, model, target, Making(target=to, options=made))
    result = Conversion(
        name=name, target=to, artifacts=tuple(artifacts), report=account, scratch=target.scratch
    )
    writing.check(result.artifacts)
    if output is not None:
        result.write(output)
    return result


def read_all(
    source: Source,
    data: bytes | None,
    component: str | None,
    search_path: Sequence[str | Path],
    log: Log,
    import_options: Mapping[str, str] | None = None,
    *,
    as_written: bool = True,
) -> Model:
    """The model, or several as one. Raises ModelError."""

    def read(item: str | Path | Model, its: bytes | None, chosen: str | None) -> Model:
        return read_source(
            item, its, chosen, search_path, log, import_options, as_written=as_written
        )

    if isinstance(source, str | Path | Model):
        return read(source, data, component)
    if not source:
        raise error("A001", "no source is given")
    from .pairs import joined

    if not as_written and not import_options and not any(isinstance(i, Model) for i in source):
        from .origin import recall

        contents = [_bytes(item) for item in source if not isinstance(item, Model)]
        known = recall(contents if data is None else [data, *contents[1:]], str(source[0]), log)
        if known is not None:
            return known
    models = [read(item, None if k else data, None) for k, item in enumerate(source)]
    return joined(models, component)


def read_source(
    source: str | Path | Model,
    data: bytes | None,
    component: str | None,
    search_path: Sequence[str | Path],
    log: Log,
    import_options: Mapping[str, str] | None = None,
    *,
    as_written: bool = True,
) -> Model:
    """The model, loaded unless it is one already, and verified. Raises ModelError.

    Unless `as_written`, a file that was made by us and not changed since stands for what it was made from.
    """
    if isinstance(source, Model):
        return source
    if not as_written and component is None and not import_options:
        from .origin import recall

        known = recall([data if data is not None else _bytes(source)], str(source), log)
        if known is not None:
            return known
    if data is not None:
        model = loading.load_bytes(
            data,
            file=str(source),
            component=component,
            search_path=search_path,
            log=log,
            options=import_options,
        )
    else:
        model = loading.load(
            source,
            component=component,
            search_path=search_path,
            log=log,
            options=import_options,
        )
    return model


def chosen(model: Model, name: str) -> Model:
    """The component of that name alone, or the model whose network has it. Raises ModelError A231."""
    known = {item.name: item for item in model.components}
    if name in known:
        return replace(model, components=(known[name],), network=None, pairings=())
    network = model.network
    networks = [] if network is None else [network.name]
    if network is not None and network.experiment is not None and network.experiment.name:
        networks.append(network.experiment.name)
    if networks and name in (model.name, *networks):
        return model
    hint = suggest(name, [*known, *networks])
    raise error(
        "A231", f"'{model.name}' has no component or network '{name}'",
        hint=hint or f"there are: {', '.join([*known, *networks][:12])}",
    )  # fmt: skip


def _bytes(source: str | Path) -> bytes:
    """The file's content; nothing of what is no plain file, is large, or cannot be read."""
    path = Path(source)
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST else b""
    except (OSError, ValueError):
        return b""


def wire_model(
    model: Model, log: Log, component: str | None, *, continuous: bool = False
) -> Circuit:
    """The model's network as groups of flat components, ready to run. Raises ModelError."""
    from ..canonical_model.passes.wire import wire

    circuit = wire(model, log, component=component, continuous=continuous)
    log.stop_on_error()
    return circuit


def choose_step(asked: float | None, own: float, log: Log) -> float:
    """The step in seconds: as asked, else the experiment's, else 0.1 ms with a note."""
    if asked is not None:
        if own and abs(asked - own) > 1e-9 * own:
            message = f"the step is {show(asked)}, the experiment's own would be {show(own)}"
            log.add("A101", Level.NOTE, message)
        return asked
    if own:
        return own
    message = f"the model names no step, so {show(DEFAULT_STEP)} is taken"
    log.add("A102", Level.NOTE, message, hint="choose another with --dt")
    return DEFAULT_STEP


def safe_name(text: str) -> str:
    """A name for files and folders: letters, digits, `_`, `-`, never empty, at most 64 characters.

    >>> safe_name("../my net")
    'my_net'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-")[:64] or "model"


def output_folder(name: str, target: Exporter) -> Path:
    """Where a conversion goes unless the user names a folder: `./<name>_<target>`."""
    return Path(f"{name}_{target.name}")


def _stop_on_loss(log: Log, account: report.Report) -> None:
    losses = [issue for issue in log if issue.level in LOSSES]
    if losses:
        count = "one loss" if len(losses) == 1 else f"{len(losses)} losses"
        message = f"strict: the conversion has {count}, nothing was written"
        refusal = Issue("A103", Level.REFUSED, message, hint="convert without --strict to accept")
        raise Refusal((*losses, refusal), account)


def _source_name(source: Any, model: Model) -> str:
    if isinstance(source, list | tuple):
        return ", ".join(_source_name(item, model) for item in source)
    return model.provenance.source or model.name if isinstance(source, Model) else str(source)
