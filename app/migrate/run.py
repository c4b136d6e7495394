"""The whole migration: find, convert what is not done yet, tidy, sum up."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...canonical_model.diagnostics import error, suggest
from .. import registry, writing
from ..convert import SOLVERS
from ..quantities import seconds
from .find import Found, find, folders
from .ledger import Ledger, digest
from .options import CRASHED, FAILED, Job, Options, Row
from .outputs import intact, sweep
from .pool import Pool
from .summary import Summary, write_summary
from .work import file_digest

LOCK = "lock"
PATIENCE = 10.0  # s to wait for the processes of an earlier run that was killed
_CODE = (
    "app",
    "canonical_model",
    "exporters",
    "importers",
    "lems_types",
    "nest",
    "solvers",
    "spinnaker2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a migration is: sources done, and failed, of `total` to convert, in `elapsed` s."""

    done: int
    total: int
    failed: int
    elapsed: float

    @property
    def rate(self) -> float:
        """Sources a second."""
        return self.done / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def left(self) -> float:
        """Seconds to go at this rate."""
        return (self.total - self.done) / self.rate if self.rate else 0.0


@dataclass(slots=True)
class _Plan:
    """Every file, the models' folders and a cache of the hashes of sources."""

    options: Options
    found: list[Found]
    folders: dict[str, str]
    tool: str
    tree: str
    hashes: dict[str, str] = field(default_factory=dict)

    def key(self, source: str, target: str, rows: Sequence[Row]) -> str:
        """What a result depends on besides the bytes it was made from.

        A failure may be healed by a file that was not there, so it depends on the names of all files.
        """
        options = self.options.meaning()
        parts: list[Any] = [self.tool, options, source, target, self.folders[source]]
        if any(row.status == FAILED for row in rows):
            parts.append(self.tree)
        return digest(parts)

    def current(self, path: str) -> str:
        """The hash of a source file as it is now."""
        if path not in self.hashes:
            self.hashes[path] = file_digest(self.options.source / path)
        return self.hashes[path]


def migrate(
    options: Options,
    *,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Convert every model below `options.source` to every target, into `options.output`.

    With `resume` an output folder of an earlier migration is brought up to date: only what changed is
    converted; results for targets that are not named this time stay. Whatever ends the run, each
    result is whole or absent, and a resumed run leaves the same bytes as an undisturbed one.

    Raises ModelError A003, A004, A010, A012 for options, A200 to A205 and A020 to A023 for folders. What
    is wrong with single models is in the summary.
    """
    _check(options)
    _prepare(options, resume)
    with _locked(options) as lock, Ledger(options.state / "ledger.sqlite") as ledger:
        staging = options.state / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        plan = _plan(options)
        for target in options.targets:
            sweep(options, target, set(plan.folders.values()), staging, exact=False)
        jobs = list(_jobs(plan, ledger))
        _convert(plan, jobs, ledger, staging, lock, on_progress)
        _forget(plan, ledger)
        summary = write_summary(options, plan.found, ledger, staging)
        for target in options.targets:
            sweep(options, target, summary.folders[target], staging, exact=True)
        shutil.rmtree(staging, ignore_errors=True)
    return summary


def _check(options: Options) -> None:
    """Raise ModelError for options that cannot be right, before any work."""
    for target in options.targets:
        solvers = (*SOLVERS, *registry.exporter(target).solvers)
        if options.solver not in solvers:
            hint = suggest(options.solver, solvers)
            message = f"there is no solver '{options.solver}' for the target '{target}'"
            raise error("A012", message, hint=hint)
    seconds(options.dt, "dt")


def _prepare(options: Options, resume: bool) -> None:
    """Make the output folder ours. Raises ModelError A020, A021, A023, A201."""
    output, state = options.output, options.state
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise error("A020", f"the output '{output}' exists and is not a folder")
    if not options.source.is_dir():
        raise error("A200", f"'{options.source}' is not a folder of models")
    try:
        if (state / "ledger.sqlite").exists():
            if not resume:
                message = f"'{output}' holds a migration already"
                hint = "go on with --resume, or name another folder"
                raise error("A201", message, hint=hint)
        elif resume and (state / LOCK).exists():
            pass  # the ledger was removed: everything is converted again
        elif output.exists() and any(item.name != state.name for item in output.iterdir()):
            message = f"the output folder '{output}' exists and was not written by interspike"
            raise error("A021", message, hint="name another folder with -o")
        state.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise writing.unwritable(output, problem) from problem


@contextmanager
def _locked(options: Options) -> Iterator[int]:
    """Hold the output folder; gives the descriptor that holds it. Raises ModelError A206."""
    with (options.state / LOCK).open("w") as stream:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    message = f"another migration works in '{options.output}'"
                    raise error("A206", message, hint="wait for its end") from None
                time.sleep(0.05)
        yield stream.fileno()


def _plan(options: Options) -> _Plan:
    found = find(options)
    models = [item.path for item in found if item.language]
    tree = digest([item.path for item in found])
    return _Plan(options, found, folders(models), tool_digest(), tree)


def tool_digest() -> str:
    """A hash of the program itself: another version may convert differently."""
    root = Path(__file__).resolve().parents[2]
    total = hashlib.sha256()
    for folder in _CODE:
        for place, below, names in os.walk(root / folder):
            below.sort()
            for name in sorted(names):
                if not name.endswith((".pyc", ".so")):
                    total.update(f"{name}\0{file_digest(Path(place) / name)}\0".encode())
    return total.hexdigest()


def _jobs(plan: _Plan, ledger: Ledger) -> Iterator[Job]:
    """What is not done yet, or not as it would be done now."""
    for item in plan.found:
        if not item.language:
            continue
        todo = {
            target: plan.folders[item.path]
            for target in plan.options.targets
            if not _is_done(plan, ledger, item.path, target)
        }
        if todo:
            yield Job(source=item.path, language=item.language, folders=todo)


def _is_done(plan: _Plan, ledger: Ledger, source: str, target: str) -> bool:
    known = ledger.find(source, target)
    if known is None:
        return False
    key, inputs, rows = known
    if any(row.status == CRASHED for row in rows) or key != plan.key(source, target, rows):
        return False
    if any(plan.current(path) != digest for path, digest in inputs.items()):
        return False
    return all(intact(plan.options, row) for row in rows)


def _convert(
    plan: _Plan,
    jobs: list[Job],
    ledger: Ledger,
    staging: Path,
    lock: int,
    on_progress: Callable[[Progress], None],
) -> None:
    """Run the jobs and record each result as soon as it is on disk."""
    if not jobs:
        return
    start = time.monotonic()
    done = 0
    failed: set[str] = set()
    inputs: dict[str, Mapping[str, str]] = {}
    with Pool(plan.options, staging, lock) as pool:
        for job, message in pool.run(jobs):
            if "inputs" in message:
                inputs[job.source] = message["inputs"]
            elif "end" in message:
                inputs.pop(job.source, None)
                done += 1
                elapsed = time.monotonic() - start
                progress = Progress(done=done, total=len(jobs), failed=len(failed), elapsed=elapsed)
                on_progress(progress)
            else:
                rows = [Row.from_json(item) for item in message["rows"]]
                if any(row.status in (FAILED, CRASHED) for row in rows):
                    failed.add(job.source)
                target = message["target"]
                read = inputs.get(job.source, {job.source: plan.current(job.source)})
                ledger.record(job.source, target, plan.key(job.source, target, rows), read, rows)


def _forget(plan: _Plan, ledger: Ledger) -> None:
    """Records of sources that are gone."""
    for source, target in ledger.names():
        if source not in plan.folders:
            ledger.forget(source, target)
