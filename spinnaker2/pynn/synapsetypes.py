"""PyNN's synapse types: static and dynamic ones, and those that are refused by name."""

from __future__ import annotations

from typing import Any

from pyNN.standardmodels import synapses

from ...canonical_model.diagnostics import refuse
from ...canonical_model.model import Component
from .celltypes import _same
from .dynamic import pair_stdp, stochastic, tsodyks_markram
from .simulator import state


class _Delayed:
    """Synapses whose delay may be left open."""

    is_plastic = False

    def _get_minimum_delay(self) -> float:
        """The delay of a connection for which none is given."""
        return state.dt if state.wanted_min_delay == "auto" else float(state.wanted_min_delay)

    def component(self) -> Component | None:
        """The synapse's own component; None for static synapses, which have no state."""
        return None


class StaticSynapse(_Delayed, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = _same("weight", "delay")


class TsodyksMarkramSynapse(_Delayed, synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = _same("weight", "delay", "U", "tau_rec", "tau_facil")

    def component(self) -> Component:
        """Facilitation and depression."""
        return tsodyks_markram()


class SimpleStochasticSynapse(_Delayed, synapses.SimpleStochasticSynapse):
    __doc__ = synapses.SimpleStochasticSynapse.__doc__
    translations = _same("weight", "delay", "p")

    def component(self) -> Component:
        """Transmission with a probability."""
        return stochastic()


class STDPMechanism(_Delayed, synapses.STDPMechanism):
    __doc__ = synapses.STDPMechanism.__doc__
    is_plastic = True
    base_translations = _same("weight", "delay", "dendritic_delay_fraction")

    def _build_translations(self) -> None:
        self.translations = dict(self.base_translations)
        for part in (self.timing_dependence, self.weight_dependence):
            if part is not None:
                self.translations.update(part.translations)

    def component(self) -> Component:
        """The rule of the weight dependence."""
        if (
            self.timing_dependence is None
            or self.weight_dependence is None
            or self.voltage_dependence
        ):
            raise refuse("Y301", "STDPMechanism needs a SpikePairRule and a weight dependence")
        return pair_stdp(self.weight_dependence.rule)


class SpikePairRule(synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = _same("tau_plus", "tau_minus", "A_plus", "A_minus")
    possible_models = frozenset({"pairs"})


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = _same("w_min", "w_max")
    possible_models = frozenset({"pairs"})
    rule = "additive"


class MultiplicativeWeightDependence(synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = _same("w_min", "w_max")
    possible_models = frozenset({"pairs"})
    rule = "multiplicative"


class AdditivePotentiationMultiplicativeDepression(
    synapses.AdditivePotentiationMultiplicativeDepression
):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = _same("w_min", "w_max")
    possible_models = frozenset({"pairs"})
    rule = "additive_multiplicative"


class GutigWeightDependence(synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = _same("w_min", "w_max", "mu_plus", "mu_minus")
    possible_models = frozenset({"pairs"})
    rule = "gutig"


class _Refused:
    """A synapse type for which there is no model here."""

    def __init__(self, *arguments: Any, **parameters: Any) -> None:
        del arguments, parameters
        raise refuse("Y301", f"{type(self).__name__} is not available on SpiNNaker2")


class StochasticTsodyksMarkramSynapse(_Refused):
    """Refused."""


class MultiQuantalSynapse(_Refused):
    """Refused."""


class ElectricalSynapse(_Refused):
    """Refused: currents between cells would have to cross cores in every step."""


class Vogels2011Rule(_Refused):
    """Refused."""
