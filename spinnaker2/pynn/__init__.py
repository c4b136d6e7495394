# ruff: noqa: F401
"""PyNN on SpiNNaker2: `import interspike.spinnaker2.pynn as sim` in place of `import pyNN.nest as sim`.

The network is turned into a circuit of the hub's own components and run as the chip's program on the
emulator, or by the float64 reference: see `setup`.
"""

from pyNN import errors, random, space
from pyNN.connectors import *  # noqa: F403
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space
from pyNN.standardmodels import StandardCellType

from .celltypes import (
    LIF,
    AdExp,
    AlphaPSR,
    CondAlphaPostSynapticResponse,
    CondExpPostSynapticResponse,
    CurrExpPostSynapticResponse,
    EIF_cond_alpha_isfa_ista,
    EIF_cond_exp_isfa_ista,
    ExpPSR,
    HH_cond_exp,
    IF_cond_alpha,
    IF_cond_exp,
    IF_cond_exp_gsfa_grr,
    IF_curr_alpha,
    IF_curr_delta,
    IF_curr_exp,
    Izhikevich,
    PointNeuron,
)
from .control import (
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    issues,
    num_processes,
    rank,
    reset,
    run,
    run_for,
    run_until,
    setup,
)
from .currents import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from .native import NativeCellType, native_cell_type
from .populations import Assembly, Population, PopulationView
from .procedural import connect, create, record, record_gsyn, record_v, set
from .projections import Projection
from .spikesources import (
    SpikeSourceArray,
    SpikeSourceGamma,
    SpikeSourceInhGamma,
    SpikeSourcePoisson,
    SpikeSourcePoissonRefractory,
)
from .synapsetypes import (
    AdditivePotentiationMultiplicativeDepression,
    AdditiveWeightDependence,
    ElectricalSynapse,
    GutigWeightDependence,
    MultiplicativeWeightDependence,
    MultiQuantalSynapse,
    SimpleStochasticSynapse,
    SpikePairRule,
    StaticSynapse,
    STDPMechanism,
    StochasticTsodyksMarkramSynapse,
    TsodyksMarkramSynapse,
    Vogels2011Rule,
)


def list_standard_models() -> list[str]:
    """The names of the standard cell types that are available."""
    found = globals().values()
    types = [
        item for item in found if isinstance(item, type) and issubclass(item, StandardCellType)
    ]
    return [item.__name__ for item in types if item is not StandardCellType]
