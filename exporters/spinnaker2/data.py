"""The data that the host writes into the PE: header, regions, packed values and connection rows."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...canonical_model.diagnostics import refuse
from ...spinnaker2.memory import DATA, HEADER_WORDS, MAGIC, REGIONS, VERSION
from .plan import GroupPlan, Plan


@dataclass(slots=True)
class Region:
    """Bytes of a region under construction; every entry starts on a word."""

    data: bytearray = field(default_factory=bytearray)

    def add(self, payload: bytes) -> int:
        """Append; returns the offset."""
        offset = len(self.data)
        self.data += payload
        self.data += b"\0" * (-len(self.data) % 4)
        return offset

    def array(self, values: Any, dtype: str) -> int:
        """Append an array, little-endian."""
        return self.add(np.ascontiguousarray(values, dtype=dtype).tobytes())


@dataclass(slots=True)
class Image:
    """All regions, and where the parts of each group lie in NEURONS_PARAMS (shared, own, state)."""

    regions: dict[str, Region]
    groups: list[tuple[int, int, int]]

    def to_bytes(self) -> bytes:
        """Header and regions as they lie from DATA.start on. Raises ModelError T301 if too large."""
        address = DATA.start + 4 * HEADER_WORDS
        addresses, body = [], bytearray()
        for name in REGIONS:
            addresses.append(address + len(body))
            body += self.regions[name].data
        total = 4 * HEADER_WORDS + len(body)
        if total > DATA.size:
            sizes = ", ".join(
                f"{name} {len(self.regions[name].data)}"
                for name in REGIONS
                if len(self.regions[name].data) > 1024
            )
            message = f"the network needs {total} bytes of data, one PE has {DATA.size} ({sizes})"
            raise refuse("T301", message, hint="convert a smaller network")
        return struct.pack(f"<{HEADER_WORDS}I", MAGIC, VERSION, *addresses) + bytes(body)


def build_image(plan: Plan, ticks: int, first: int, record_every: int) -> Image:
    """Values and settings; network_code adds the rows."""
    regions = {name: Region() for name in REGIONS}
    regions["ROUTING_TABLE"].add(struct.pack("<2I", 0, 0))
    period = max(1, round(plan.step * 1e6))
    regions["TIMER_CONFIG"].add(struct.pack("<2I", period, ticks))
    seed = (plan.circuit.seed or 1234) & 0xFFFFFFFF
    regions["GLOBAL_PARAMS"].add(struct.pack("<2IfI", record_every, seed, plan.h, first))
    # no random generator of a run before, nothing under way
    regions["GLOBAL_PARAMS"].add(b"\0" * 28)
    regions["MPT_INFO"].add(struct.pack("<2I", 0, 0))
    places = [_group(item, regions["NEURONS_PARAMS"]) for item in plan.groups]
    return Image(regions, places)


def _group(item: GroupPlan, region: Region, chosen: Any = slice(None)) -> tuple[int, int, int]:
    """Offsets of shared, own and state values in the region."""
    model = item.model
    size = len(np.arange(item.group.size)[chosen])
    shared = region.add(_rows([item.statics[name] for name in model.shared], 1))
    everyone = (item.group.size,)
    statics = [np.broadcast_to(item.statics[name], everyone)[chosen] for name in model.own]
    own = region.add(_rows(statics, size))
    states = [
        np.broadcast_to(item.states[s.name], everyone)[chosen]
        for s in model.component.state_variables
    ]
    regimes = [np.asarray(values, dtype="<u4")[chosen] for values in item.regimes]
    columns = [*_table(states, size), *(r.view("<f4") for r in regimes)]
    state = region.add(_interleave(columns, size))
    return shared, own, state


def chosen_values(item: GroupPlan, index: Any) -> tuple[tuple[int, int, int], bytes]:
    """Values of some instances of a group, and the offsets of their parts."""
    region = Region()
    return _group(item, region, index), bytes(region.data)


def slice_values(item: GroupPlan, start: int, stop: int) -> tuple[tuple[int, int, int], bytes]:
    """Values of a group's instances start to stop, and the offsets of their parts."""
    region = Region()
    return _group(item, region, slice(start, stop)), bytes(region.data)


def _table(values: Sequence[Any], size: int) -> list[Any]:
    with np.errstate(over="ignore"):
        return [np.broadcast_to(np.asarray(v, dtype="<f4"), (size,)) for v in values]


def _rows(values: Sequence[Any], size: int) -> bytes:
    return _interleave(_table(values, size), size)


def _interleave(columns: Sequence[Any], size: int) -> bytes:
    """Instance-major records; a record without fields is one unused word."""
    if not columns:
        return b"\0" * (4 * size)
    return np.ascontiguousarray(np.stack(columns, axis=1)).tobytes()
