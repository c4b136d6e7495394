"""NESTML 9's own modules for the NEST of this Python: generated and built into a cache folder.

NESTML's builder asks NEST where it was built, which a wheel cannot tell: so only its code generation is
used, and the compiler is called with the flags that our own modules need for the same NEST.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interspike.nest import build as building
from measure import Cost, once

# NESTML draws its graph of dependencies where graphviz is installed, and stops if its program is not
GENERATE = """
import json, shutil, sys
if shutil.which("dot") is None:
    sys.modules["graphviz"] = None
from pynestml.codegeneration.nest_builder import NESTBuilder
from pynestml.frontend.pynestml_frontend import generate_target
NESTBuilder.build = lambda self: None
job = json.loads(sys.argv[1])
failed = generate_target(input_path=job["files"], target_platform="NEST", target_path=job["folder"],
    module_name=job["module"], suffix=job["suffix"], logging_level="ERROR",
    codegen_opts={"nest_path": job["folder"], "nest_version": job["version"], **job["options"]})
sys.exit(1 if failed else 0)
"""
# less than -O2: the results are the same, and it is not the speed that is compared here
FLAGS = ("-std=c++20", "-O1", "-DNDEBUG", "-fPIC", "-shared", "-ffp-contract=off", "-fopenmp", "-w")


@dataclass(frozen=True, slots=True)
class Peer:
    """A module of NESTML 9: its file, and what generation and compilation cost (None: not measured)."""

    file: Path
    generated: Cost | None
    compiled: Cost | None


def library_options(text: str | None) -> tuple[Path, list[Path], bool]:
    """The cache, the models to run, whether they are all: then a page is written. From the command line.

    Ends the program where NESTML 9's modules cannot be made here.
    """
    options = argparse.ArgumentParser(description=text)
    options.add_argument("--cache", type=Path, default=Path("nestml9-modules"))
    options.add_argument("--library", type=Path, default=Path(sys.prefix, "models", "neurons"))
    options.add_argument(
        "--only", nargs="*", default=[], help="models to run; then no page is written"
    )
    arguments = options.parse_args()
    why = missing()
    if why:
        raise SystemExit(why)
    files = sorted(arguments.library.glob("*.nestml"))
    files = [path for path in files if not arguments.only or path.stem in arguments.only]
    return arguments.cache, files, not arguments.only


def missing() -> str:
    """Why NESTML 9's modules cannot be made here, or "" if they can."""
    for name in ("pynestml", "odetoolbox"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed"
    why = building.missing()
    if why:
        return why
    # NEST's headers include Boost's and libtool's, which the wheel does not bring
    code = "#include <boost/sort/spreadsort/spreadsort.hpp>\n#include <ltdl.h>\n"
    command = [*building.find_compiler(), "-std=c++20", "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(command, input=code, text=True, capture_output=True, check=False)
    return "the headers of Boost or libltdl are not installed" if done.returncode else ""


def make(
    files: Sequence[Path],
    cache: Path,
    name: str,
    suffix: str = "_nestml9",
    options: Mapping[str, Any] | None = None,
) -> Peer:
    """The module `<name>module` of these files in `cache`, made if it is not there.

    Raises RuntimeError with the last words of NESTML or of the compiler.
    """
    folder = cache / name
    file = folder / f"{name}module.so"
    costs = folder / "costs.json"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        job = {
            "files": [str(path) for path in files],
            "folder": str(folder),
            "module": f"{name}module",
            "suffix": suffix,
            "version": f"v{building.find_nest().version}",
            "options": dict(options or {}),
        }
        generated = once([sys.executable, "-P", "-c", GENERATE, json.dumps(job)], folder)
        compiled = once(_compiler(folder, file), folder)
        texts = {
            "generated": [generated.cpu, generated.peak],
            "compiled": [compiled.cpu, compiled.peak],
        }
        costs.write_text(json.dumps(texts))
    found = json.loads(costs.read_text()) if costs.is_file() else {}
    return Peer(
        file, *(Cost(*found[key]) if key in found else None for key in ("generated", "compiled"))
    )


def _compiler(folder: Path, file: Path) -> list[str]:
    """One unit of all sources: NEST's headers, one of which has no guard, are read once."""
    unit = folder / "all.cc"
    texts = [path.read_text() for path in sorted(folder.glob("*.cpp"))]
    first = '#include "nest_extension_interface.h"\n'
    unit.write_text(first + "\n".join(text.replace('#include "nest_impl.h"', "") for text in texts))
    nest = building.find_nest()
    flags = [*FLAGS, *([] if nest.new_strings else ["-D_GLIBCXX_USE_CXX11_ABI=0"])]
    return [
        *building.find_compiler(),
        *flags,
        "-I.",
        f"-I{nest.include}",
        str(unit),
        "-o",
        str(file),
    ]
