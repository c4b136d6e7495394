"""PyNN types of models that are loaded into NEST: made from what the converter knows of each model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .load import install, prepare

if TYPE_CHECKING:
    from ..app.convert import Source
    from ..app.pairs import PairLike
    from ..canonical_model.diagnostics import Log

SIGNED = ("excitatory", "inhibitory")


def cell_types(
    source: Source,
    *,
    solver: str = "auto",
    dt: str | float | None = None,
    component: str | None = None,
    search_path: Sequence[str | Path] = (),
    pairs: Sequence[PairLike] = (),
    suffix: str = "",
    cache: str | Path | None = None,
    log: Log | None = None,
) -> dict[str, type]:
    """PyNN classes by model name, for `pyNN.nest`. Call it after `sim.setup()`, which resets NEST.

    Neurons become cell types, synapses synapse types (with `weight` and `delay` besides their own).
    Parameters and initial values are named as in the model, in the units of the attribute `units`; spikes
    go to the receptor types `excitatory` and `inhibitory` of a model with one receptor, else to the model's
    own ports. Raises ModelError as `nest.load.load` does.
    """
    built = prepare(
        source, solver=solver, dt=dt, component=component, search_path=search_path, pairs=pairs,
        suffix=suffix, cache=cache, log=log,
    )  # fmt: skip
    install(built)
    facts = json.loads((built.folder / "models.json").read_text())
    make = {"neuron": cell_type, "synapse": synapse_type}
    return {name: make[facts[name]["kind"]](name, facts[name]) for name in built.models}


def synapse_type(name: str, facts: Mapping[str, Any]) -> type:
    """The PyNN class of the synapse model `name`, which must be loaded; `facts` as in `models.json`."""
    from pyNN.nest.synapses import NativeSynapseType

    import nest

    defaults = nest.GetDefaults(name)
    own = [*facts["parameters"], *facts["states"]]
    keys = ["weight", "delay", *(key for key in own if key not in ("w", "weight", "delay"))]
    attributes = {
        "__doc__": f"The NEST model {name}, made by interspike.",
        "nest_name": name,
        "default_parameters": {key: defaults[key] for key in keys if key in defaults},
        "parameter_units": dict(facts["parameters"]),
    }
    return type(name, (NativeSynapseType,), attributes)


def cell_type(name: str, facts: Mapping[str, Any]) -> type:
    """The PyNN class of the NEST model `name`, which must be loaded; `facts` as in `models.json`."""
    from pyNN.nest.cells import NativeCellType

    import nest

    defaults = nest.GetDefaults(name)
    receptors: dict[str, int] = facts["receptors"]
    types = list(receptors) if receptors else list(SIGNED if facts["receives"] else ())
    # the library of units that PyNN's recordings use has a word for none
    shown = {key: "dimensionless" if u == "1" else u for key, u in facts["recordables"].items()}
    units = {**shown, "spikes": "ms"}

    def get_receptor_type(self: Any, label: str) -> int:
        return receptors[label]

    attributes = {
        "__doc__": f"The NEST model {name}, made by interspike.",
        "nest_model": name,
        "nest_name": {"on_grid": name, "off_grid": name},
        "default_parameters": {key: defaults[key] for key in facts["parameters"]},
        "default_initial_values": {key: defaults[key] for key in facts["states"]},
        "parameter_units": dict(facts["parameters"]),
        "recordable": [*facts["recordables"], "spikes"],
        "units": units,
        "receptor_types": types,
        "standard_receptor_type": not receptors,
        "injectable": facts["injectable"],
        "conductance_based": facts["conductance_based"],
        "always_local": False,
        "uses_parrot": False,
        "get_receptor_type": get_receptor_type,
    }
    return type(name, (NativeCellType,), attributes)
