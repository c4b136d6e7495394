"""Host side of a generated application for py-spinnaker2: what each PE is sent and what is read back.

This file is copied beside generated classes and needs numpy and the installed `spinnaker2` package only.
Without that package the classes still describe their model; `pe_config` then raises RuntimeError.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

try:
    from spinnaker2.configuration import MemoryHandler, MemoryRegion, PEConfig  # type: ignore[import-not-found]
    from spinnaker2.coordinates import ByteAddr  # type: ignore[import-not-found]
    from spinnaker2.mapper import SynapseWordSize, SynapseWordSpec  # type: ignore[import-not-found]
    from spinnaker2.neuron_models.application import BaseApplication  # type: ignore[import-not-found]
    from spinnaker2.neuron_models.common import N_WORDS_MPT_ENTRY, format_routing_info  # type: ignore[import-not-found]
except ImportError:
    HAS_SPINNAKER2 = False
    BaseApplication = object
else:
    HAS_SPINNAKER2 = True


class Regions(Enum):
    """Parts of a PE's memory in the order of the header."""

    ROUTING_TABLE = 1
    TIMER_CONFIG = 2
    GLOBAL_PARAMS = 3
    MPT_INFO = 4
    MPT = 5
    SYN_ROW = 6
    NEURONS_PARAMS = 7
    SPIKE_RECORD = 8
    VOLTAGE_RECORD = 9
    TIME_DONE_RECORD = 10
    LOG = 11


REGIONS = tuple(region.name for region in Regions)
FIRST_ADDRESS = 0xE900
LAST_ADDRESS = 0x1F000
RING_ADDRESS, RING_SIZE = 0x8800, 0x6000
ERROR_LOG_ADDRESS, ERROR_LOG_WORDS = 0xE800, 64
LOG_WORDS = 100
N_GLOBALS = 25
MAX_TYPES = 2  # the sign of a weight
SEED_SPREAD = 0x9E3779B9  # odd: cores draw different numbers
ALSO_KNOWN = ("w_scale_exc", "w_scale_inh", "seed")  # parameters that are none of the model
MEMBRANES = ("v", "V_m", "V")  # what `record=["v"]` stands for


def float_words(values: Any) -> list[int]:
    """Bit patterns of single-precision numbers."""
    return [int(word) for word in np.ascontiguousarray(values, "<f4").view("<u4").ravel()]


class HostApplication(BaseApplication):  # type: ignore[misc]
    """Base of generated classes; everything that differs between models is a class attribute."""

    app_name: ClassVar[str] = ""
    default_parameters: ClassVar[Mapping[str, float]] = {}
    default_initial_values: ClassVar[Mapping[str, float]] = {}
    shared: ClassVar[Sequence[str]] = ()
    own: ClassVar[Sequence[str]] = ()
    states: ClassVar[Sequence[str]] = ()
    regimes: ClassVar[Sequence[int]] = ()
    receptors: ClassVar[Sequence[tuple[str, int]]] = ()
    inputs: ClassVar[Sequence[float]] = ()
    sources: ClassVar[Sequence[tuple[str, int]]] = ()
    recordable: ClassVar[Sequence[str]] = ()
    regions: ClassVar[type[Enum]] = Regions
    ports: ClassVar[int] = 1
    word: ClassVar[Mapping[str, int]] = {}
    ring_bytes: ClassVar[int] = 0
    timestep_ms: ClassVar[float] = 1.0
    step: ClassVar[float] = 1.0
    max_atoms_per_core: ClassVar[int] = 128
    splittable: ClassVar[bool] = True
    profiling: ClassVar[bool] = False
    first_address: ClassVar[int] = FIRST_ADDRESS
    error_log_address: ClassVar[int] = ERROR_LOG_ADDRESS
    error_log_size: ClassVar[int] = ERROR_LOG_WORDS
    log_size: ClassVar[int] = LOG_WORDS

    def __init__(self) -> None:
        if not HAS_SPINNAKER2:
            raise RuntimeError("this needs the package 'spinnaker2' (py-spinnaker2)")
        if len(self.receptors) > MAX_TYPES:
            names = ", ".join(
                f"{port} ({'+' if sign > 0 else '-'})" for port, sign in self.receptors
            )
            message = f"{self.app_name} has {len(self.receptors)} receptor types: {names}"
            raise ValueError(
                f"{message}; py-spinnaker2 tells {MAX_TYPES} apart, by the sign of the weight"
            )
        if self.sources:
            names = ", ".join(name for name, _ in self.sources)
            warnings.warn(
                f"{self.app_name} was compiled with current sources ({names}), which a host class "
                "cannot inject: their inputs stay at the default",
                stacklevel=2,
            )
        super().__init__(self.app_name)
        size = SynapseWordSize.SIZE_16 if self.word["size"] == 16 else SynapseWordSize.SIZE_32
        self.sw_spec = SynapseWordSpec(
            word_size=size, weight=self.word["weight"], delay=self.word["delay"],
            synapse_type=self.word["type"], target=self.word["index"],
        )  # fmt: skip

    @staticmethod
    def values(parameters: dict[str, Any], h: float) -> dict[str, Any]:
        """Everything that follows from the parameters, propagators included; generated."""
        raise NotImplementedError

    def neuron_words(
        self, params: Mapping[str, Any], start: int, stop: int, size: int
    ) -> list[list[int]]:
        """Words of shared values, of own values and of states, of the neurons start to stop.

        Raises ValueError for unknown names and for parameters that may not differ between neurons.
        """
        known = {**self.default_parameters, **dict.fromkeys(self.states, 0.0)}
        extra = set(params) - set(known) - set(ALSO_KNOWN)
        if extra:
            names = ", ".join(sorted(known))
            raise ValueError(f"{self.app_name} has no parameter {sorted(extra)}; it has {names}")
        given = {
            k: np.broadcast_to(np.asarray(v, float), (size,))
            for k, v in params.items()
            if k in known
        }
        values = {k: given.get(k, v) for k, v in self.default_parameters.items()}
        values = self.values(values, self.step)
        shared = []
        for name in self.shared:
            found = np.ravel(values[name])
            if np.ptp(found) > 0:
                message = f"'{name}' of {self.app_name} was compiled as common to all neurons"
                raise ValueError(f"{message}: it goes from {found.min():g} to {found.max():g}")
            shared.append(found[0])
        own = [np.broadcast_to(values[name], (size,))[start:stop] for name in self.own]
        state = [
            np.broadcast_to(given.get(k, self.default_initial_values.get(k, 0.0)), (size,))[
                start:stop
            ]
            for k in self.states
        ]
        count = stop - start
        state_words = np.stack([np.asarray(c, "<f4").view("<u4") for c in _solid(state)] + [
            np.full(count, r, "<u4") for r in self.regimes
        ], axis=1) if state or self.regimes else np.zeros((count, 1), "<u4")  # fmt: skip
        return [
            float_words(shared) if shared else [0],
            float_words(np.stack(_solid(own), axis=1)) if own else [0] * count,
            [int(w) for w in state_words.ravel()],
        ]

    def quantize(
        self, *tables: Any
    ) -> tuple[list[NDArray[np.int64]], dict[str, float], dict[str, float]]:
        """Connections (pre, post, weight, delay in ms) with whole weights and delays in ticks.

        All tables are of connections into one population. Returns them, the parameters `w_scale_exc` and
        `w_scale_inh` for that population, and the largest and the root mean square error of the weights
        relative to the largest. Raises ValueError with the numbers for what the synapse word cannot hold.
        """
        found = [np.asarray(table, float).reshape(-1, 4) for table in tables]
        whole = np.concatenate([np.zeros((0, 4)), *found])
        weight, delay = whole[:, 2], whole[:, 3]
        if not np.all(np.isfinite(whole)):
            raise ValueError(f"{self.app_name}: a weight or delay is not a finite number")
        if np.any(weight < 0) and len(self.receptors) < MAX_TYPES:
            message = f"{self.app_name} has one receptor type, and {np.sum(weight < 0)} weights"
            raise ValueError(f"{message} are below 0")
        # a packet travels for a tick, which the word does not count
        ticks, slots = np.rint(delay / self.timestep_ms), 1 << self.word["delay"]
        if len(ticks) and not 0 <= ticks.min() <= ticks.max() < slots:
            shown = f"{delay.min():g} to {delay.max():g} ms"
            most = (slots - 1) * self.timestep_ms
            raise ValueError(
                f"{self.app_name}: delays of {shown}; the synapse word has 0 to {most:g} ms"
            )
        largest = (1 << self.word["weight"]) - 1
        scales = [
            float(np.max(weight * sign, initial=0.0)) / largest or 1.0 for sign in (1.0, -1.0)
        ]
        unit = np.where(weight < 0, scales[1], scales[0])
        counts = np.rint(weight / unit)
        error = np.abs(counts * unit - weight) / np.max(np.abs(weight), initial=1e-300)
        rows = np.stack([whole[:, 0], whole[:, 1], counts, ticks], axis=1).astype(np.int64)
        edges = np.cumsum([len(table) for table in found])[:-1]
        report = {
            "largest": float(np.max(error, initial=0.0)),
            "rms": float(np.sqrt(np.mean(error**2))) if len(error) else 0.0,
            "zeros": float(np.sum((counts == 0) & (weight != 0))),
        }
        names = ("w_scale_exc", "w_scale_inh")
        return np.split(rows, edges), dict(zip(names, scales, strict=True)), report

    def _without_sources(self, count: int, base: int) -> tuple[list[int], int, int]:
        """Inputs at their defaults and a table of sources that feed nothing; offsets in bytes."""
        if not self.sources:
            return [], 0, 0
        words = [w for _ in range(count) for w in float_words(list(self.inputs) or [0.0])]
        starts = base + 4 * len(words)
        words += [0] * (count // 2 + 1)
        table = base + 4 * len(words)
        for _, row in self.sources:
            words += [0, 0, 0, 0, *[starts] * (row - 4)]
        return words, base, table

    def pe_config(
        self, pe: Any, mapper: Any, sim_cfg: Mapping[str, Any], debug: bool = False
    ) -> Any:
        """Regions of one PE. Raises MemoryError with the numbers if they do not fit."""
        config = PEConfig(pe, self.name, self.mem_file)
        part = mapper.mapping.get_population_slice(pe)
        params, record = part.pop.params or {}, part.pop.record or ()
        count, ticks = part.size(), int(sim_cfg["n_simulation_ticks"])
        words = self.neuron_words(params, part.start, part.stop, part.pop.size)
        more, input_at, table_at = self._without_sources(count, 4 * sum(len(w) for w in words))
        spikes = 2 + -(-count * self.ports // 32) if "spikes" in record else 0
        traced, is_last = self._traced(record)
        traces = 1 + len(traced) * count if traced else 0
        handler = MemoryHandler(self.app_name, self.first_address)
        n_targets, targets = format_routing_info(mapper, pe)
        sizes = {
            "ROUTING_TABLE": 3 + len(targets),
            "TIMER_CONFIG": 2,
            "GLOBAL_PARAMS": N_GLOBALS + len(self.receptors) + max(0, traces - 1),
            "MPT_INFO": 2,
            "MPT": mapper.estimate_master_pop_table_length(pe) * N_WORDS_MPT_ENTRY,
            "SYN_ROW": 0,
            "NEURONS_PARAMS": sum(len(w) for w in words) + len(more),
            "SPIKE_RECORD": ticks * spikes,
            "VOLTAGE_RECORD": traces if is_last else ticks * traces,
            "TIME_DONE_RECORD": ticks,
            "LOG": self.log_size,
        }
        for index, name in enumerate(REGIONS, 1):
            is_read = name in ("SPIKE_RECORD", "VOLTAGE_RECORD", "TIME_DONE_RECORD", "LOG")
            handler.add_mem_region(name=name, index=index, data=[], size=sizes[name],
                                   send=not is_read, read=is_read)  # fmt: skip
        rows, table = mapper.synapse_rows_and_master_pop_table(
            pe=pe, sw_spec=self.sw_spec, syn_rows_start=handler.get_start_address("SYN_ROW")
        )
        handler.set_size("SYN_ROW", len(rows))
        handler.set_data("SYN_ROW", list(rows))
        handler.set_data("MPT", list(table))
        place = _byte(handler.get_start_address("ROUTING_TABLE"))
        head = [mapper.key_offsets[pe], n_targets, place + 12]
        handler.set_data("ROUTING_TABLE", [*head, *targets])
        handler.set_data("TIMER_CONFIG", [int(sim_cfg["timer_period"]), ticks])
        start = _byte(handler.get_start_address("MPT"))
        handler.set_data("MPT_INFO", [start, len(table) // N_WORDS_MPT_ENTRY])
        handler.set_data("NEURONS_PARAMS", [*(w for block in words for w in block), *more])
        end = _byte(handler.get_start_address("LOG")) + 4 * self.log_size
        ring = RING_ADDRESS if self.ring_bytes <= RING_SIZE else -(-end // 16) * 16
        end += 0 if ring == RING_ADDRESS else self.ring_bytes + 16
        if end > LAST_ADDRESS:
            message = f"{self.app_name} on {pe} needs {end - self.first_address} bytes"
            raise MemoryError(f"{message}, a PE has {LAST_ADDRESS - self.first_address}")
        scales = self._scales(params)
        variables = [self.recordable.index(name) - 1 for name in traced]
        handler.set_data("GLOBAL_PARAMS", [
            count, int(bool(spikes)), 2 if is_last else int(bool(traces)), int(self.profiling), 1,
            *float_words([self.step]), scales[0] if scales else 0, scales[1] if scales[1:] else 0,
            int(debug), self.log_size, self._seed(params, int(mapper.key_offsets[pe])),
            int(mapper.key_offsets[pe]), ticks,
            ring, max(0, traces - 1), 0, 4 * len(words[0]), 4 * (len(words[0]) + len(words[1])),
            4 * N_GLOBALS, 4 * (N_GLOBALS + len(scales)), input_at, table_at, 0, 0, 0, *scales,
            *(variable << 16 | neuron for variable in variables for neuron in range(count)),
        ])  # fmt: skip
        handler.freeze()
        handler.add_regions_to_config(config)
        address = ByteAddr(self.error_log_address).to_WordAddr()
        config.add_mem_region_to_read("error_log", MemoryRegion(address, self.error_log_size))
        part.memory_layout = handler
        return config

    def _traced(self, record: Sequence[str]) -> tuple[list[str], bool]:
        """Quantities to record, and whether of the last tick only. Raises ValueError for unknown ones."""
        membrane = next((name for name in MEMBRANES if name in self.recordable), "")
        own: list[str] = []
        last: list[str] = []
        for name in record:
            if name in ("spikes", "time_done"):
                continue
            wanted = membrane if name in ("v", "v_last") else name
            if wanted not in self.recordable:
                known = ", ".join([*self.recordable, "v_last", "time_done"])
                raise ValueError(f"{self.app_name} cannot record '{name}'; it has {known}")
            (last if name == "v_last" else own).append(wanted)
        if own and last:
            raise ValueError(
                f"{self.app_name} records every tick or the last one (v_last), not both"
            )
        found = list(dict.fromkeys(own or last))
        if len(found) > 1:
            message = (
                f"{self.app_name} records {', '.join(found)}: get_voltages() expects one quantity"
            )
            warnings.warn(message, stacklevel=3)
        return found, bool(last)

    @staticmethod
    def _seed(params: Mapping[str, Any], key: int) -> int:
        """Of a core's random numbers: cores differ by their first key."""
        return (int(params.get("seed", 1)) + SEED_SPREAD * (key + 1)) & 0xFFFFFFFF

    def _scales(self, params: Mapping[str, Any]) -> list[int]:
        """Weights of one unit: `w_scale_exc` and `w_scale_inh`, 1 if they are not given."""
        names = ("w_scale_exc", "w_scale_inh")[: len(self.receptors)]
        found = [float(params.get(name, 1.0)) for name in names]
        return float_words(found) if found else []


def _solid(columns: Sequence[Any]) -> list[Any]:
    return [np.array(column, "<f4") for column in columns]


def _byte(address: Any) -> int:
    """A byte address as a number."""
    return int(getattr(address, "value", address))
