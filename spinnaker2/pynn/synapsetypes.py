"""PyNN's synapse types: static ones, and those that are refused by name."""

from __future__ import annotations

from typing import Any

from pyNN.standardmodels import synapses

from ...canonical_model.diagnostics import refuse
from .celltypes import _same
from .simulator import state


class StaticSynapse(synapses.StaticSynapse):  # type: ignore[misc, unused-ignore]
    __doc__ = synapses.StaticSynapse.__doc__
    translations = _same("weight", "delay")

    def _get_minimum_delay(self) -> float:
        """The delay of a connection for which none is given."""
        return state.dt if state.wanted_min_delay == "auto" else float(state.wanted_min_delay)


class _Refused:
    """A synapse type without a model for the chip's static synapse words."""

    def __init__(self, *arguments: Any, **parameters: Any) -> None:
        del arguments, parameters
        name = type(self).__name__
        message = f"{name} is not available: synapse words on the chip have a fixed weight"
        raise refuse("Y301", message, hint="use StaticSynapse")


class TsodyksMarkramSynapse(_Refused):
    """Refused."""


class STDPMechanism(_Refused):
    """Refused."""


class SpikePairRule(_Refused):
    """Refused."""


class AdditiveWeightDependence(_Refused):
    """Refused."""


class MultiplicativeWeightDependence(_Refused):
    """Refused."""


class AdditivePotentiationMultiplicativeDepression(_Refused):
    """Refused."""


class GutigWeightDependence(_Refused):
    """Refused."""


class SimpleStochasticSynapse(_Refused):
    """Refused."""


class StochasticTsodyksMarkramSynapse(_Refused):
    """Refused."""


class MultiQuantalSynapse(_Refused):
    """Refused."""


class ElectricalSynapse(_Refused):
    """Refused."""
