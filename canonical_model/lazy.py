"""numpy, loaded at its first use: loading it takes longer than converting a neuron does.

Modules that every conversion loads, and only networks need numpy in, write `from .lazy import np`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:

    class _Numpy:
        """Stands for the module until an attribute of it is asked for; each is looked up once."""

        def __getattr__(self, name: str) -> object:
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)
            return value

    np = _Numpy()

__all__ = ["np"]
