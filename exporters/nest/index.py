"""One CMake project and one list for the modules of many exports."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..artifact import Artifact

ENDING = "_module.cpp"
_HEAD = """\
# Builds every module here: cmake -S . -B build && cmake --build build. Two may bear one name, so each is a
# project of its own; modules.json says which folder makes which.
cmake_minimum_required( VERSION 3.16 )
project( interspike_modules NONE )
include( ExternalProject )

set( NEST_PYTHON python3 CACHE STRING "the Python in which NEST is installed" )
"""
_MODULE = """\
ExternalProject_Add( module_{number}
  SOURCE_DIR "${{CMAKE_CURRENT_SOURCE_DIR}}/{folder}"
  BINARY_DIR "${{CMAKE_CURRENT_BINARY_DIR}}/{folder}"
  CMAKE_ARGS "-DNEST_PYTHON=${{NEST_PYTHON}}"
  INSTALL_COMMAND "" )
"""


def index(results: Mapping[str, tuple[str, ...]]) -> tuple[Artifact, ...]:
    """`CMakeLists.txt` over all folders and `modules.json`: folder to module."""
    modules = {
        folder: file.removesuffix(".cpp")
        for folder, files in sorted(results.items())
        for file in files
        if "/" not in file and file.endswith(ENDING)
    }
    if not modules:
        return ()
    parts = [_MODULE.format(number=k, folder=folder) for k, folder in enumerate(modules, 1)]
    return (
        Artifact("CMakeLists.txt", "\n".join([_HEAD, *parts]).encode()),
        Artifact("modules.json", (json.dumps(modules, indent=2) + "\n").encode()),
    )
