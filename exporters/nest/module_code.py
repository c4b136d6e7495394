"""The module's source, build file and README."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from .names import comment
from .plan import ModelPlan

SPACE = "INTERSPIKE_NAMESPACE"


def module_source(name: str, models: Sequence[ModelPlan], files: Mapping[str, str]) -> str:
    """The one C++ unit: all models, registered when NEST loads the module.

    The namespace carries a hash of the models, so that two versions can be loaded one after the other.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode() + b"\0" + files[path].encode() + b"\0")
    space = f"interspike_{digest.hexdigest()[:12]}"
    includes = "\n".join(f'#include "models/{model.title}.h"' for model in models)
    register = "\n".join(
        f'    interspike::register_model< {model.name} >( "{model.title}" );' for model in models
    )
    return f"""\
/* {name}: made by interspike. Do not edit: convert again. */
#define {SPACE} {space}

#include "interspike_nest.h"
{includes}

#include "interspike_module.h"

namespace {SPACE} INTERSPIKE_LOCAL
{{

class Module : public nest::NESTExtensionInterface
{{
public:
  void
  initialize() override
  {{
{register}
  }}
}};

}}

/* what NEST looks for when it loads {name}.so */
__attribute__( ( visibility( "default" ) ) ) {SPACE}::Module {name}_LTX_module;
"""


CMAKE = """\
# cmake -S . -B build && cmake --build build; then nest.Install("@NAME@") with this folder's build/ on
# LD_LIBRARY_PATH. -DNEST_PYTHON=... chooses the Python whose NEST is meant.
cmake_minimum_required( VERSION 3.16 )
project( @NAME@ CXX )

set( NEST_PYTHON python3 CACHE STRING "the Python in which NEST is installed" )
execute_process(
  COMMAND ${NEST_PYTHON} -c
    "import importlib.util as u; print(next(iter(u.find_spec('nest').submodule_search_locations)))"
  OUTPUT_VARIABLE NEST_FOLDER OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE FAILED ERROR_QUIET )
if ( FAILED )
  message( FATAL_ERROR "no NEST in ${NEST_PYTHON}: pip install nest-simulator, or -DNEST_PYTHON=..." )
endif ()
find_path( NEST_INCLUDE nest_extension_interface.h
  HINTS "${NEST_FOLDER}/include/nest" "${NEST_FOLDER}/../../../../include/nest"
  NO_DEFAULT_PATH REQUIRED )

# the module's strings must have the layout that NEST's own have
file( GLOB NEST_KERNEL "${NEST_FOLDER}/nestkernel_api*.so" "${NEST_FOLDER}/pynestkernel*.so" )
list( GET NEST_KERNEL 0 NEST_KERNEL )
file( STRINGS "${NEST_KERNEL}" NEW_STRINGS REGEX "_ZN[0-9A-Za-z_]*4nest[0-9A-Za-z_]*7__cxx11" LIMIT_COUNT 1 )

add_library( @NAME@ MODULE @SOURCES@ )
set_target_properties( @NAME@ PROPERTIES
  PREFIX "" SUFFIX ".so" CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON )
target_include_directories( @NAME@ PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}"
  "${CMAKE_CURRENT_SOURCE_DIR}/@RUNTIME@" "${NEST_INCLUDE}" )
target_compile_options( @NAME@ PRIVATE -O2 -DNDEBUG -fno-math-errno -fno-trapping-math -ffp-contract=off
  -idirafter "${CMAKE_CURRENT_SOURCE_DIR}/@RUNTIME@/compat" )
if ( NOT NEW_STRINGS )
  target_compile_definitions( @NAME@ PRIVATE _GLIBCXX_USE_CXX11_ABI=0 )
endif ()
if ( APPLE )
  target_link_options( @NAME@ PRIVATE -undefined dynamic_lookup )
else ()
  find_package( OpenMP COMPONENTS CXX )
  if ( OpenMP_CXX_FOUND )
    target_compile_options( @NAME@ PRIVATE ${OpenMP_CXX_FLAGS} )
  endif ()
endif ()
# the solver gsl: a NEST that was built with the library brings it
file( STRINGS "${NEST_INCLUDE}/config.h" WITH_GSL REGEX "#define HAVE_GSL 1" )
find_package( GSL QUIET )
if ( GSL_FOUND AND NOT WITH_GSL )
  target_link_libraries( @NAME@ PRIVATE GSL::gsl GSL::gslcblas )
endif ()
file( STRINGS "${NEST_INCLUDE}/config.h" WITH_MPI REGEX "#define HAVE_MPI 1" )
if ( WITH_MPI )
  find_package( MPI REQUIRED COMPONENTS CXX )
  target_link_libraries( @NAME@ PRIVATE MPI::MPI_CXX )
endif ()
"""


def cmake_text(name: str, sources: Sequence[str] = (), runtime: str = "runtime") -> str:
    """CMakeLists.txt of a module (of `<name>.cpp`): finds NEST, its headers and its string layout."""
    files = "\n  ".join(sources) or f"{name}.cpp"
    parts = {"@NAME@": name, "@SOURCES@": files, "@RUNTIME@": runtime}
    text = CMAKE
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def readme(name: str, models: Sequence[ModelPlan], source: str, network: bool) -> str:
    """What the folder holds and how it is used."""
    lines = [
        f"# {name}: models for NEST",
        "",
        f"Made from `{comment(source)}`. Units: mV, ms, pA, nS, pF where a model does not say SI.",
        "",
        "| file | what it is |",
        "|---|---|",
        "| `models/*.h` | one model each, documented at its top |",
        f"| `{name}.cpp` | registers the models with NEST |",
        "| `runtime/` | what the models share |",
        "| `models.json` | parameters, states, receptors and units, for programs |",
        "| `CMakeLists.txt` | builds the module |",
    ]
    if network:
        lines.append("| `network.py` | builds and runs the network in PyNEST |")
        lines.append("| `network_pynn.py` | the same through PyNN |")
    lines += [
        "",
        "Build with `interspike convert ... --build`, with `interspike.nest.build`, or with CMake:",
        "`cmake -S . -B build && cmake --build build`. A compiler with C++20 is all that is needed.",
        "",
        "| model | states | receptors | recordables |",
        "|---|---|---|---|",
    ]
    for model in models:
        states = ", ".join(model.keys[s.name] for s in model.component.state_variables)
        receptors = ", ".join(f"{key} {number}" for key, number in model.ports.names) or "0"
        recordables = ", ".join(model.recordables)
        row = (model.title, states, receptors, recordables)
        lines.append(f"| {' | '.join(comment(item, 500) for item in row)} |")
    return "\n".join([*lines, ""])
