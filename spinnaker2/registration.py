"""Make py-spinnaker2 know a generated application: where its sources are built, and by which name it goes.

Both have changed with that package, so each version has an entry of its own here, and nothing else depends
on the version. This file is copied beside generated classes and needs the standard library only.
"""

from __future__ import annotations

import importlib
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

SOURCES = ("apps", "models", "runtime")
PACKAGES = ("py-spinnaker2", "spinnaker2")


@dataclass(frozen=True, slots=True)
class Hook:
    """How a range of versions does it: the first version, the folder for sources (under the package), the
    build file there, and the (module, name) pairs under which a table or a function registers a model."""

    since: tuple[int, ...]
    folder: str
    build: str
    registries: tuple[tuple[str, str], ...]


HOOKS = (
    Hook((0, 0), "libs/chip/app-pe/s2app", "Makefile", (
        ("spinnaker2.neuron_models.application", "applications"),
        ("spinnaker2.neuron_models", "applications"),
        ("spinnaker2.mapper", "applications"),
    )),
    Hook((0, 8), "libs/chip/app-pe/snn", "CMakeLists.txt", (
        ("spinnaker2.neuron_models", "register_application"),
        ("spinnaker2.neuron_models", "register_neuron_model"),
        ("spinnaker2.neuron_models.application", "register"),
        ("spinnaker2.neuron_models", "applications"),
    )),
)  # fmt: skip


def version() -> tuple[int, ...]:
    """The installed version. Raises RuntimeError if the package is missing."""
    try:
        package = importlib.import_module("spinnaker2")
    except ImportError:
        raise RuntimeError("this needs the package 'spinnaker2' (py-spinnaker2)") from None
    text = getattr(package, "__version__", "")
    for name in () if text else PACKAGES:
        try:
            text = metadata.version(name)
            break
        except metadata.PackageNotFoundError:
            continue
    numbers = [part for part in str(text).split(".")[:3] if part.isdigit()]
    return tuple(int(part) for part in numbers) or (0, 0)


def hook(wanted: tuple[int, ...] | None = None) -> Hook:
    """What holds for a version (None: the installed one)."""
    number = version() if wanted is None else wanted
    return [item for item in HOOKS if item.since <= number][-1]


def install(application: Any, folder: Path, wanted: tuple[int, ...] | None = None) -> Path:
    """Copy a program's sources to where py-spinnaker2 builds its applications; returns that folder.

    `folder` is the exported one. An application of that name that is there already is replaced.
    """
    chosen = hook(wanted)
    package = importlib.import_module("spinnaker2")
    root = Path(str(package.__file__)).resolve().parent / chosen.folder
    target, fresh = root / application.app_name, root / f".{application.app_name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for name in SOURCES:
        shutil.copytree(folder / name, fresh / name)
    place = folder / "chip"
    source = place / application.app_name / chosen.build
    text = (source if source.exists() else place / chosen.build).read_text(encoding="utf-8")
    # there the sources lie beside the build file, here two folders (or one) above it
    text = text.replace("ROOT = ../..", "ROOT = .").replace("../", "")
    text = text.replace("INCLUDES .. ", "INCLUDES . ")
    (fresh / chosen.build).write_text(text, encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    return fresh.rename(target)


def register(application: Any, wanted: tuple[int, ...] | None = None) -> str:
    """Let `snn.Population(size, "<app_name>", ...)` find the class; returns where it was registered.

    Raises RuntimeError, naming what was tried, if this version keeps its models elsewhere.
    """
    tried = []
    for module, name in hook(wanted).registries:
        tried.append(f"{module}.{name}")
        try:
            place = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
        if callable(place):
            place(application.app_name, application)
        else:
            place[application.app_name] = application
        return tried[-1]
    number = ".".join(str(part) for part in version())
    raise RuntimeError(
        f"py-spinnaker2 {number} keeps its neuron models elsewhere than in {', '.join(tried)}: pass "
        f"the class itself, or add its place to HOOKS of registration.py"
    )
