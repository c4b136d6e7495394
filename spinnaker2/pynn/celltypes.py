"""PyNN's cell types over the hub's own definitions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from pyNN import errors
from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import build_translations, cells, receptors

from ...canonical_model.diagnostics import error
from ...canonical_model.model import Component
from .neurons import neuron
from .receptors import Receptor, pair
from .units import si_factor


def _same(*names: str) -> Any:
    """Native parameters have PyNN's names and units."""
    return build_translations(*((name, name) for name in names))


class Neuron:
    """What the circuit builder asks of a cell type that is a canonical component."""

    soma = ""
    receptors: tuple[Receptor, ...] = ()
    units: Any
    default_parameters: Any

    def component(self, is_injected: bool) -> Component:
        """The flat component; `is_injected` gives it an input for currents."""
        values = _items(self.default_parameters)
        return neuron(type(self).__name__, self.soma, self.receptors, is_injected, values)

    def check(self, values: dict[str, Any]) -> None:
        """Raises InvalidParameterValueError for values that the equations cannot take."""
        for name in ("tau_m", "cm", "tau_w", "delta_T", "tau_syn_E", "tau_syn_I"):
            if name in values and np.any(np.asarray(values[name], dtype=float) <= 0.0):
                raise errors.InvalidParameterValueError(f"{name} must be greater than zero")

    def component_name(self, name: str) -> str:
        """The component's name of a parameter or state."""
        return name.replace(".", "_")

    def si_factor(self, name: str) -> float:
        """What PyNN's unit of a parameter or state is in SI."""
        return si_factor(self.units.get(name, ""))

    def port(self, receptor_type: str) -> str:
        """The component's event port of a receptor type."""
        return receptor_type


def _items(values: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((name, float(value)) for name, value in values.items()))


class IF_curr_exp(Neuron, cells.IF_curr_exp):
    __doc__ = cells.IF_curr_exp.__doc__
    soma, receptors = "lif", pair("current_exp")
    translations = _same(*cells.IF_curr_exp.default_parameters)
    recordable = ("spikes", "v", "isyn_exc", "isyn_inh")


class IF_curr_alpha(Neuron, cells.IF_curr_alpha):
    __doc__ = cells.IF_curr_alpha.__doc__
    soma, receptors = "lif", pair("current_alpha")
    translations = _same(*cells.IF_curr_alpha.default_parameters)
    recordable = ("spikes", "v", "isyn_exc", "isyn_inh")


class IF_curr_delta(Neuron, cells.IF_curr_delta):
    __doc__ = cells.IF_curr_delta.__doc__
    soma, receptors = "lif", pair("voltage_delta")
    translations = _same(*cells.IF_curr_delta.default_parameters)


class IF_cond_exp(Neuron, cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    soma, receptors = "lif", pair("conductance_exp")
    translations = _same(*cells.IF_cond_exp.default_parameters)


class IF_cond_alpha(Neuron, cells.IF_cond_alpha):
    __doc__ = cells.IF_cond_alpha.__doc__
    soma, receptors = "lif", pair("conductance_alpha")
    translations = _same(*cells.IF_cond_alpha.default_parameters)


class IF_cond_exp_gsfa_grr(Neuron, cells.IF_cond_exp_gsfa_grr):
    __doc__ = cells.IF_cond_exp_gsfa_grr.__doc__
    soma, receptors = "gsfa", pair("conductance_exp")
    translations = _same(*cells.IF_cond_exp_gsfa_grr.default_parameters)


class EIF_cond_exp_isfa_ista(Neuron, cells.EIF_cond_exp_isfa_ista):
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    soma, receptors = "adex", pair("conductance_exp")
    translations = _same(*cells.EIF_cond_exp_isfa_ista.default_parameters)


class EIF_cond_alpha_isfa_ista(Neuron, cells.EIF_cond_alpha_isfa_ista):
    __doc__ = cells.EIF_cond_alpha_isfa_ista.__doc__
    soma, receptors = "adex", pair("conductance_alpha")
    translations = _same(*cells.EIF_cond_alpha_isfa_ista.default_parameters)


class HH_cond_exp(Neuron, cells.HH_cond_exp):
    __doc__ = cells.HH_cond_exp.__doc__
    soma, receptors = "hodgkin_huxley", pair("conductance_exp")
    translations = _same(*cells.HH_cond_exp.default_parameters)
    receptor_types = ("excitatory", "inhibitory")
    recordable = ("spikes", "v", "gsyn_exc", "gsyn_inh", "m", "h", "n")


class Izhikevich(Neuron, cells.Izhikevich):
    __doc__ = cells.Izhikevich.__doc__
    soma, receptors = "izhikevich", pair("voltage_delta")
    translations = _same(*cells.Izhikevich.default_parameters)


class LIF(cells.LIF):
    __doc__ = cells.LIF.__doc__
    soma = "lif"
    translations = _same(*cells.LIF.default_parameters)


class AdExp(cells.AdExp):
    __doc__ = cells.AdExp.__doc__
    soma = "adex"
    translations = _same(*cells.AdExp.default_parameters)


class CurrExpPostSynapticResponse(receptors.CurrExpPostSynapticResponse):
    __doc__ = receptors.CurrExpPostSynapticResponse.__doc__
    kind, recordable = "current_exp", ("isyn",)
    translations = _same("locations", "tau_syn")


class CondExpPostSynapticResponse(receptors.CondExpPostSynapticResponse):
    __doc__ = receptors.CondExpPostSynapticResponse.__doc__
    kind, recordable = "conductance_exp", ("gsyn",)
    translations = _same("locations", "e_syn", "tau_syn")


class CondAlphaPostSynapticResponse(receptors.CondAlphaPostSynapticResponse):
    __doc__ = receptors.CondAlphaPostSynapticResponse.__doc__
    kind, recordable = "conductance_alpha", ("gsyn",)
    translations = _same("locations", "e_syn", "tau_syn")


AlphaPSR = CondAlphaPostSynapticResponse
ExpPSR = CondExpPostSynapticResponse


class PointNeuron(Neuron, cells.PointNeuron):
    __doc__ = "A soma (LIF, AdExp) with any number of named receptors of any kind."

    def __init__(self, neuron: Any, **post_synaptic_receptors: Any) -> None:
        if not post_synaptic_receptors:
            raise error("Y202", "a PointNeuron needs at least one receptor")
        cells.PointNeuron.__init__(self, neuron, **post_synaptic_receptors)
        self.soma = neuron.soma
        self.translations = neuron.translations
        self.receptors = tuple(
            _receptor(label, post_synaptic_receptors[label]) for label in self.receptor_types
        )

    @property
    def native_parameters(self) -> Any:
        """Parameters of the soma by name and of each receptor as `label.name`."""
        flat = dict(self.neuron.native_parameters.items())
        for label, psr in self.post_synaptic_receptors.items():
            for name, value in psr.parameter_space.items():
                if name != "locations":
                    flat[f"{label}.{name}"] = value
        return ParameterSpace(flat, schema=None, shape=self.parameter_space.shape)

    def get_native_names(self, *names: str) -> list[str]:
        """Native names are PyNN's."""
        return list(names) if names else list(self.native_parameters.keys())

    def computed_parameters_include(self, parameter_names: Any) -> bool:
        """No parameter is computed from others."""
        del parameter_names
        return False

    def get_schema(self) -> dict[str, type]:
        """All parameters are numbers."""
        flat = list(self.neuron.default_parameters)
        flat += [
            f"{label}.{name}"
            for label, psr in self.post_synaptic_receptors.items()
            for name in psr.default_parameters
            if name != "locations"
        ]
        return dict.fromkeys(flat, float)

    def translate(self, parameters: Any, copy: bool = True) -> Any:
        """Native parameters are PyNN's."""
        del copy
        return ParameterSpace(dict(parameters.items()), schema=None, shape=parameters.shape)

    def can_record(self, variable: str, location: str | None = None) -> bool:
        """True for the soma's and the receptors' variables."""
        return location is None and variable in self.recordable

    def component(self, is_injected: bool) -> Component:
        """Soma and receptors as one component."""
        values = dict(self.neuron.default_parameters)
        for label, psr in self.post_synaptic_receptors.items():
            for name, value in psr.default_parameters.items():
                values[f"{label}_{name}"] = value
        return _point(self.soma, self.receptors, is_injected, _items(values))

    def si_factor(self, name: str) -> float:
        """Receptors' parameters are times in ms and potentials in mV."""
        if "." in name and name not in self.units:
            return 1e-3
        return si_factor(self.units.get(name, ""))


@lru_cache(maxsize=64)
def _point(soma: str, psrs: tuple[Receptor, ...], is_injected: bool, values: Any) -> Component:
    return neuron("PointNeuron", soma, psrs, is_injected, values)


def _receptor(label: str, psr: Any) -> Receptor:
    kind = getattr(psr, "kind", None)
    if kind is None:
        raise error(
            "Y203", f"receptor '{label}' is a {type(psr).__name__}, which has no model here"
        )
    state = psr.recordable[0]
    reversal = f"{label}_e_syn" if kind.startswith("conductance") else ""
    return Receptor(label, kind, f"{label}_{state}", f"{label}_tau_syn", reversal)
