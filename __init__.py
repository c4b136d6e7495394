"""Interspike: the hub through which spiking-neuron models travel between languages and to hardware.

>>> import interspike
>>> model = interspike.load("model.xml")                          # doctest: +SKIP
>>> result = interspike.convert("model.xml", to="spinnaker2")     # doctest: +SKIP
>>> result.report.summary()                                       # doctest: +SKIP
'3 exact'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Conversion",
    "Diff",
    "Inspected",
    "MigrationOptions",
    "Model",
    "ModelError",
    "Report",
    "Verified",
    "__version__",
    "convert",
    "diff",
    "inspect",
    "load",
    "migrate",
    "simulate",
    "verify",
]

# name -> module that defines it; loaded when first asked for, so that the command line starts fast
_LAZY = {
    "Conversion": ".app.convert",
    "Diff": ".app.diff",
    "Inspected": ".app.inspect",
    "MigrationOptions": ".app.migrate.options",
    "Model": ".canonical_model.model",
    "ModelError": ".canonical_model.diagnostics",
    "Report": ".app.report",
    "Verified": ".app.verify",
    "convert": ".app.convert",
    "diff": ".app.diff",
    "inspect": ".app.inspect",
    "load": ".app.load",
    "migrate": ".app.migrate.run",
    "simulate": ".app.simulate",
    "verify": ".app.verify",
}
_CALLED = {"MigrationOptions": "Options"}  # under another name where it is defined

if TYPE_CHECKING:
    from .app.convert import Conversion, convert
    from .app.diff import Diff, diff
    from .app.inspect import Inspected, inspect
    from .app.load import load
    from .app.migrate.options import Options as MigrationOptions
    from .app.migrate.run import migrate
    from .app.report import Report
    from .app.simulate import simulate
    from .app.verify import Verified, verify
    from .canonical_model.diagnostics import ModelError
    from .canonical_model.model import Model


def __getattr__(name: str) -> Any:
    if name == "nest":
        from importlib import import_module

        # a folder without __init__.py, so that it never stands for the simulator: its parts by hand
        for part in ("build", "load", "pynn"):
            import_module(f".nest.{part}", __name__)
        return import_module(".nest", __name__)
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'interspike' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(module, __name__), _CALLED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
