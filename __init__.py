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
    "Model",
    "ModelError",
    "Report",
    "__version__",
    "convert",
    "load",
    "simulate",
]

# name -> module that defines it; loaded when first asked for, so that the command line starts fast
_LAZY = {
    "Conversion": ".app.convert",
    "Model": ".canonical_model.model",
    "ModelError": ".canonical_model.diagnostics",
    "Report": ".app.report",
    "convert": ".app.convert",
    "load": ".app.load",
    "simulate": ".app.simulate",
}

if TYPE_CHECKING:
    from .app.convert import Conversion, convert
    from .app.load import load
    from .app.report import Report
    from .app.simulate import simulate
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

    value = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
