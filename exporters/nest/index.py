"""One NEST module of the models of many exports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from ..artifact import Artifact
from ..joint import joint_names
from .module_code import SPACE, cmake_text
from .names import class_name

UNITS = "interspike_models"  # folder of the sources that belong to no single export
MODULE = f"{UNITS}_module"

_UNIT = """\
/* the models of {folder}, made by interspike. Do not edit: convert again. */
#define {space} {name}

#include "interspike_nest.h"
{includes}

#include "interspike_module.h"

namespace interspike INTERSPIKE_LOCAL
{{

void
register_{name}()
{{
{register}
}}

}}
"""
_MAIN = """\
/* {module}: every model beside this file, made by interspike. Do not edit: convert again. */
#include "interspike_nest.h"

#include "interspike_module.h"

namespace interspike INTERSPIKE_LOCAL
{{

{declared}

}}

namespace {name} INTERSPIKE_LOCAL
{{

class Module : public nest::NESTExtensionInterface
{{
public:
  void
  initialize() override
  {{
{called}
  }}
}};

}}

/* what NEST looks for when it loads {module}.so */
__attribute__( ( visibility( "default" ) ) ) {name}::Module {module}_LTX_module;
"""


def index(
    results: Mapping[str, tuple[str, ...]], read: Callable[[str], bytes]
) -> tuple[Artifact, ...]:
    """Module `interspike_models_module` with its `CMakeLists.txt`, and `models.json`: name to header.

    Each folder is compiled by itself, in a namespace of its own, so that two may hold models of one
    name; such models bear the name of their folder before their own.
    """
    found = [
        (folder, f"{folder}/{file}", PurePosixPath(file).stem)
        for folder, files in sorted(results.items())
        for file in sorted(files)
        if PurePosixPath(file).parent.name == "models" and file.endswith(".h")
    ]
    if not found:
        return ()
    names = joint_names([(folder, title) for folder, _, title in found])
    units: dict[str, list[tuple[str, str, str]]] = {}
    for (folder, header, title), name in zip(found, names, strict=True):
        units.setdefault(folder, []).append((header, class_name(title), name))
    spaces = {
        folder: f"interspike_{_digest([folder, *map(str, units[folder])])}" for folder in units
    }
    sources = {
        f"{UNITS}/unit_{number}.cpp": _unit(folder, spaces[folder], units[folder])
        for number, folder in enumerate(units, 1)
    }
    sources[f"{MODULE}.cpp"] = _MAIN.format(
        module=MODULE,
        name=f"interspike_{_digest(list(spaces.values()))}",
        declared="\n".join(f"void register_{space}();" for space in spaces.values()),
        called="\n".join(f"    interspike::register_{space}();" for space in spaces.values()),
    )
    runtime = f"{found[0][0]}/runtime"
    table = {name: header for (_, header, _), name in zip(found, names, strict=True)}
    files = {
        "CMakeLists.txt": cmake_text(MODULE, tuple(sources), runtime),
        "models.json": json.dumps(dict(sorted(table.items())), indent=2) + "\n",
        **sources,
    }
    return tuple(Artifact(path, text.encode()) for path, text in sorted(files.items()))


def _unit(folder: str, space: str, models: list[tuple[str, str, str]]) -> str:
    return _UNIT.format(
        folder=folder,
        space=SPACE,
        name=space,
        includes="\n".join(f'#include "{header}"' for header, _, _ in models),
        register="\n".join(
            f'  register_model< {SPACE}::{made} >( "{name}" );' for _, made, name in models
        ),
    )


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
