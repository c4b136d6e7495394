"""NESTML 9's own parser and checks, in one process of the interpreter that has it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

SCRIPT = """
import contextlib, io, json, sys
from pynestml.cocos.co_cos_manager import CoCosManager
from pynestml.symbol_table.symbol_table import SymbolTable
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.symbols.predefined_types import PredefinedTypes
from pynestml.symbols.predefined_units import PredefinedUnits
from pynestml.symbols.predefined_variables import PredefinedVariables
from pynestml.utils.ast_source_location import ASTSourceLocation
from pynestml.utils.logger import Logger, LoggingLevel
from pynestml.utils.model_parser import ModelParser

PredefinedUnits.register_units()
PredefinedTypes.register_types()
PredefinedFunctions.register_functions()
PredefinedVariables.register_variables()
found = {}
for path in sys.argv[1:]:
    Logger.init_logger(LoggingLevel.ERROR)
    SymbolTable.initialize_symbol_table(ASTSourceLocation(0, 0, 0, 0))
    messages = []
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            unit = ModelParser.parse_file(path)
            for model in unit.get_model_list() if unit else ():
                CoCosManager.check_cocos(model)
            messages += [] if unit else ["not parsed"]
        except Exception as problem:
            messages.append(repr(problem))
    messages += [
        str(entry) for entry in Logger.get_log().values() if LoggingLevel.ERROR in entry
    ]
    found[path] = messages
print(json.dumps(found))
"""


def complaints(texts: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    """What NESTML 9 says against each text, by name; empty lists where it accepts."""
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.nestml"
        paths[name].write_text(text)
    command = [sys.executable, "-P", "-c", SCRIPT, *map(str, paths.values())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: found[str(path)] for name, path in paths.items()}


@pytest.fixture
def nestml_complaints(tmp_path: Path) -> Callable[[Mapping[str, str]], dict[str, list[str]]]:
    """A function from texts by name to what NESTML 9 says against each; skips where it is absent."""
    if importlib.util.find_spec("pynestml") is None:
        pytest.skip("NESTML 9 is not installed here")
    return lambda texts: complaints(texts, tmp_path)
