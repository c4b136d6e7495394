"""Stand-in for py-spinnaker2: how words are split, and what a mapper answers."""

from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace


class SynapseWordSize(Enum):
    SIZE_16 = 16
    SIZE_32 = 32


@dataclass
class SynapseWordSpec:
    word_size: SynapseWordSize
    weight: int
    delay: int
    synapse_type: int
    target: int

    def pack(self, weight, delay, target):
        kind = int(weight < 0)
        assert abs(weight) < 1 << self.weight and delay < 1 << self.delay
        low = self.synapse_type + self.target
        return abs(weight) << (low + self.delay) | delay << low | kind << self.target | target


class Slice:
    def __init__(self, pop, start, stop):
        self.pop, self.start, self.stop, self.memory_layout = pop, start, stop, None

    def size(self):
        return self.stop - self.start


class Mapper:
    """Populations in slices of at most `atoms` neurons, a PE each."""

    def __init__(self, network, atoms):
        self.network, self.slices, self.key_offsets = network, {}, {}
        for pop in network.populations:
            for start in range(0, pop.size, atoms):
                pe = len(self.slices)
                self.slices[pe] = Slice(pop, start, min(pop.size, start + atoms))
                self.key_offsets[pe] = pe * 256
        self.mapping = SimpleNamespace(get_population_slice=self.slices.__getitem__)

    def _synapses(self, pe):
        own, found = self.slices[pe], {}
        for projection in self.network.projections:
            if projection.post is not own.pop:
                continue
            for pre, post, weight, delay in projection.connections:
                if own.start <= post < own.stop:
                    found.setdefault(self._key(projection.pre, pre), []).append(
                        (weight, delay, post - own.start)
                    )
        return dict(sorted(found.items()))

    def _key(self, pop, index):
        for pe, part in self.slices.items():
            if part.pop is pop and part.start <= index < part.stop:
                return self.key_offsets[pe] + index - part.start
        raise KeyError(index)

    def targets(self, pe):
        key = self.key_offsets[pe]
        return [
            other
            for other in self.slices
            if any(k // 256 * 256 == key for k in self._synapses(other))
        ]

    def estimate_master_pop_table_length(self, pe):
        return len(self._synapses(pe))

    def synapse_rows_and_master_pop_table(self, pe, sw_spec, syn_rows_start):
        rows, table = [], []
        half = sw_spec.word_size is SynapseWordSize.SIZE_16
        for key, synapses in self._synapses(pe).items():
            place = syn_rows_start.value + 4 * len(rows)
            words = [sw_spec.pack(*s) for s in synapses]
            if half:
                words += [0] * (len(words) % 2)
                words = [a | b << 16 for a, b in zip(words[::2], words[1::2], strict=True)]
            rows += [0, len(synapses), 0, *words]
            table += [key, 0xFFFFFFFF, place << 8 | min(255, 3 + len(words))]
        return rows, table
