"""Models as NEST models, just in time: convert, build into a cache, load into PyNEST.

`interspike.nest.load("model.nestml")` is short for `load` below: the module itself can be called.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..canonical_model.diagnostics import Log, error
from . import build as building

if TYPE_CHECKING:
    from ..app.convert import Source
    from ..app.pairs import PairLike
    from ..exporters.artifact import Artifact

CACHE_VARIABLE = "INTERSPIKE_CACHE"


@dataclass(frozen=True, slots=True)
class Built:
    """A module in the cache: its file, the names of its models, whether it was there already."""

    file: Path
    models: tuple[str, ...]
    folder: Path
    was_cached: bool


def cache_folder() -> Path:
    """Where built modules are kept: $INTERSPIKE_CACHE, else the user's cache folder."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "interspike" / "nest"


def prepare(
    source: Source,
    *,
    solver: str = "auto",
    dt: str | float | None = None,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    pairs: Sequence[PairLike] = (),
    suffix: str = "",
    cache: str | Path | None = None,
    log: Log | None = None,
) -> Built:
    """Convert and build, or find in the cache. NEST itself is not started.

    The key is the content: generated sources, NEST's version and place, compiler and flags. Raises
    ModelError for bad input, what NEST cannot express, and a build that fails (B400 to B404).
    """
    from ..app.convert import convert

    result = convert(
        source, to="nest", solver=solver, dt=dt, component=component, search_path=search_path,
        pairs=pairs, suffix=suffix, log=log,
    )  # fmt: skip
    return build_cached(result.artifacts, Path(cache) if cache else cache_folder())


def build_cached(artifacts: Sequence[Artifact], cache: Path) -> Built:
    """The module of these artifacts in `cache`, built if it is not there yet."""
    key = sources_key(artifacts)
    models = tuple(
        Path(item.path).stem for item in artifacts if Path(item.path).parts[0] == "models"
    )
    (source,) = (item.path for item in artifacts if item.path.endswith("_module.cpp"))
    # two versions of a model may be loaded in one process: the key is part of the name
    old, new = Path(source).stem, f"{Path(source).stem.removesuffix('_module')}_{key[:8]}_module"
    folder = cache / key
    file = folder / f"{new}.so"
    if file.is_file():
        return Built(file, models, folder, True)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".build-") as name:
            place = Path(name) / "module"
            _write(artifacts, place, old, new)
            building.build(place, place / f"{new}.so")
            _move(place, folder)
    except OSError as problem:
        message = f"the cache '{cache}' cannot be used: {problem.strerror or problem}"
        raise error("B410", message, hint=f"name another folder in ${CACHE_VARIABLE}") from problem
    return Built(file, models, folder, False)


def sources_key(artifacts: Sequence[Artifact]) -> str:
    """A digest of what a built module depends on: sources, NEST, compiler and flags."""
    nest = building.find_nest()
    compiler = building.find_compiler(nest.with_mpi)
    digest = hashlib.sha256()
    facts = [nest.version, str(nest.package), str(nest.new_strings), *compiler, *building.FLAGS]
    facts += building.own_flags()
    facts.append(building.compiler_version(compiler[0]))
    for text in facts:
        digest.update(text.encode() + b"\0")
    for item in sorted(artifacts, key=lambda item: item.path):
        if item.path.endswith((".h", ".cpp")):
            digest.update(item.path.encode() + b"\0" + item.data + b"\0")
    return digest.hexdigest()


def _write(artifacts: Sequence[Artifact], place: Path, old: str, new: str) -> None:
    """The sources, with the module under its new name."""
    for item in artifacts:
        path = place / item.path.replace(old, new)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data.replace(old.encode(), new.encode()))


def _move(place: Path, folder: Path) -> None:
    """Into the cache in one step; another process may have been faster."""
    try:
        place.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def load(
    source: Source,
    *,
    solver: str = "auto",
    dt: str | float | None = None,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    pairs: Sequence[PairLike] = (),
    suffix: str = "",
    cache: str | Path | None = None,
    log: Log | None = None,
) -> tuple[str, ...]:
    """Make the models of a file (or a loaded `Model`, or several) available in PyNEST; returns their names.

    Call it before the first `nest.Create`, and again after each `nest.ResetKernel` (which unloads
    modules): the second time the module comes from the cache. `pairs` are neurons and synapses that are
    made together (docs/nest.md), `suffix` is added to the models' names. Raises ModelError as `prepare`
    does, and B411 where NEST refuses to load the module.
    """
    built = prepare(
        source, solver=solver, dt=dt, component=component, search_path=search_path, pairs=pairs,
        suffix=suffix, cache=cache, log=log,
    )  # fmt: skip
    install(built)
    return built.models


def install(built: Built) -> None:
    """Load a built module into the running NEST; nothing happens if it is loaded. Raises B411."""
    import nest

    known = {*nest.node_models, *nest.synapse_models}
    if known.issuperset(built.models) and _is_loaded(built):
        return
    try:
        nest.Install(str(built.file.with_suffix("")))
    except nest.NESTError as problem:
        hint = "load models before nest.Create, or call nest.ResetKernel() first"
        message = f"NEST does not load the module: {problem}".splitlines()[0]
        raise error("B411", message, hint=hint) from problem


def _is_loaded(built: Built) -> bool:
    import nest

    return str(built.file.with_suffix("")) in set(nest.GetKernelStatus().get("modules", ()))


class _Callable(ModuleType):
    """A module that can be called: `interspike.nest.load(...)`."""

    def __call__(self, *args: Any, **options: Any) -> tuple[str, ...]:
        return load(*args, **options)


sys.modules[__name__].__class__ = _Callable
