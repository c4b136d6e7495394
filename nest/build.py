"""Build an exported module with the compiler of this computer, for the NEST that is installed.

NEST as a wheel remembers folders and compilers of the machine that made it, so nothing is asked of it:
headers lie beside its Python package, and the layout of its strings is read off its library.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..canonical_model.diagnostics import ModelError, Span, error

OLDEST = (3, 8)
TIMEOUT = 1800
FLAGS = (
    "-std=c++20", "-O2", "-DNDEBUG", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math",
    "-ffp-contract=off",
)  # fmt: skip
COMPILERS = ("g++", "c++", "clang++")
_ERROR = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+):\d+: (?:fatal )?error: (?P<text>.*)$", re.M)
_MARK = re.compile(r"^\s*/\* (?P<file>[^*]*):(?P<line>\d+) \*/$")


@dataclass(frozen=True, slots=True)
class Nest:
    """An installed NEST: its Python package, headers, version and how it was compiled."""

    package: Path
    include: Path
    version: str
    new_strings: bool
    with_mpi: bool
    with_gsl: bool


def missing() -> str:
    """Why nothing can be built here, or "" if it can."""
    try:
        find_nest()
        find_compiler()
    except ModelError as problem:
        return problem.issues[0].message
    return ""


def find_nest() -> Nest:
    """The NEST of this Python. Raises ModelError B400 (none), B401 (no headers, or too old)."""
    from importlib.util import find_spec

    spec = find_spec("nest")
    folders = list(spec.submodule_search_locations or ()) if spec and spec.origin else []
    if not folders:
        raise error(
            "B400", "NEST is not installed for this Python", hint="pip install nest-simulator"
        )
    return _describe(Path(folders[0]))


@lru_cache(maxsize=4)
def _describe(package: Path) -> Nest:
    places = [package / "include" / "nest"]
    places += [parent / "include" / "nest" for parent in package.parents[:6]]
    include = next((p for p in places if (p / "nest_extension_interface.h").is_file()), None)
    if include is None:
        message = f"NEST in '{package}' has no headers for extension modules"
        raise error("B401", message, hint="install NEST 3.8 or later with its headers")
    config = (include / "config.h").read_text(errors="replace")
    found = re.search(r'#define NEST_VERSION "([^"]*)"', config)
    version = found.group(1) if found else ""
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if len(numbers) == 2 and numbers < OLDEST:
        raise error("B401", f"NEST {version} is too old for these modules", hint="NEST 3.8 to 3.10")
    return Nest(
        package,
        include,
        version,
        _has_new_strings(package),
        with_mpi="#define HAVE_MPI 1" in config,
        with_gsl="#define HAVE_GSL 1" in config,
    )


def _has_new_strings(package: Path) -> bool:
    """True if NEST's symbols use the string layout of GCC 5 and later."""
    for library in sorted([*package.glob("nestkernel_api*.so"), *package.glob("pynestkernel*.so")]):
        data = library.read_bytes()
        return re.search(rb"_ZN[0-9A-Za-z_]*4nest[0-9A-Za-z_]*7__cxx11", data) is not None
    return True


def find_compiler(mpi: bool = False) -> list[str]:
    """The C++ compiler: $CXX, else the first of g++, c++, clang++. Raises ModelError B402."""
    given = shlex.split(os.environ.get("CXX", ""))
    names = [given[0]] if given else (["mpicxx"] if mpi else list(COMPILERS))
    for name in names:
        path = shutil.which(name)
        if path:
            return [path, *given[1:]]
    what = f"the compiler '{names[0]}'" if given or mpi else "a C++ compiler"
    hint = "on Debian: apt-get install libopenmpi-dev" if mpi else "on Debian: apt-get install g++"
    raise error("B402", f"{what} is not installed", hint=hint)


def own_flags() -> list[str]:
    """What the user adds to the flags: $CXXFLAGS."""
    return shlex.split(os.environ.get("CXXFLAGS", ""))


@lru_cache(maxsize=4)
def compiler_version(path: str) -> str:
    """What the compiler calls itself: part of the key of the cache."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or [""])[0]


def command(folder: Path, module: str, output: Path) -> list[str]:
    """The compiler call. Raises ModelError B400 to B402."""
    nest = find_nest()
    flags = [*FLAGS, *own_flags()]
    if not nest.new_strings:
        flags.append("-D_GLIBCXX_USE_CXX11_ABI=0")
    if os.uname().sysname == "Darwin":
        flags += ["-undefined", "dynamic_lookup"]
    else:
        flags += ["-fopenmp", "-fno-gnu-unique"]
    return [
        *find_compiler(nest.with_mpi),
        *flags,
        "-Iruntime",
        "-I.",
        f"-I{nest.include}",
        "-idirafter",
        "runtime/compat",
        f"{module}.cpp",
        "-o",
        str(output),
        *([] if nest.with_gsl or not _uses_gsl(folder) else ["-lgsl", "-lgslcblas"]),
    ]


def _uses_gsl(folder: Path) -> bool:
    """True if a model has the library's solver; a NEST that was built with the library brings it."""
    return any("interspike_gsl.h" in path.read_text() for path in folder.glob("models/*.h"))


def module_of(folder: Path) -> str:
    """The name of the module in an exported folder. Raises ModelError B403."""
    found = sorted(path.stem for path in folder.glob("*_module.cpp"))
    if len(found) != 1:
        message = f"'{folder.name}' does not hold an exported NEST module"
        raise error("B403", message, hint="make one with: interspike convert ... --to nest")
    return found[0]


def build(folder: str | Path, output: str | Path | None = None) -> Path:
    """Compile an exported folder; returns the module (`<folder>/build/<name>.so` unless `output`).

    Raises ModelError B400 to B403 where something is missing, B404 with the compiler's first error.
    """
    place = Path(folder).resolve()
    module = module_of(place)
    target = Path(output).resolve() if output else place / "build" / f"{module}.so"
    target.parent.mkdir(parents=True, exist_ok=True)
    # whole or not at all: two processes may build the same module
    trial = target.with_name(f"{target.name}.{os.getpid()}")
    done = subprocess.run(
        command(place, module, trial),
        cwd=place,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        trial.unlink(missing_ok=True)
        raise compile_error(place, done.stderr)
    trial.replace(target)
    return target


def compile_error(folder: Path, text: str) -> ModelError:
    """The first error of the compiler, with the line of the model that caused it where that is known."""
    found = _ERROR.search(text)
    if found is None:
        last = (text.strip().splitlines() or ["no message"])[-1]
        return error("B404", f"the module does not build: {last.strip()}")
    file, line = found["file"], int(found["line"])
    message = f"the generated code does not build: {found['text']} ({file}, line {line})"
    hint = "on Debian: apt-get install libgsl-dev" if "gsl/gsl" in found["text"] else ""
    return error("B404", message, _model_line(folder / file, line), hint=hint)


def _model_line(file: Path, line: int) -> Span | None:
    """The last mark of a source line before `line`, within the same function."""
    try:
        lines = file.read_text().splitlines()[:line]
    except OSError:
        return None
    for text in reversed(lines):
        mark = _MARK.match(text)
        if mark:
            return Span(mark["file"], int(mark["line"]))
        if text.startswith("}"):
            return None
    return None
