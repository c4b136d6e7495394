"""Stand-in for py-spinnaker2: what a PE is sent and what is read from it."""

from dataclasses import dataclass, field

from .coordinates import ByteAddr

MAGIC = (0xAD130AD6, 0x00010000)


@dataclass
class MemoryRegion:
    start: int
    size: int


@dataclass
class PEConfig:
    pe: object
    name: str
    mem_file: str
    to_send: dict = field(default_factory=dict)
    to_read: dict = field(default_factory=dict)

    def add_mem_data_to_send(self, address, words):
        self.to_send[address] = list(words)

    def add_mem_region_to_read(self, name, region):
        self.to_read[name] = region


class MemoryHandler:
    """Regions one behind the other at multiples of 16 bytes; the header with their addresses comes first."""

    def __init__(self, name, first_address):
        self.name, self.first, self.regions, self.frozen = name, first_address, {}, False

    def add_mem_region(self, name, index, data, size, send, read):
        assert not self.frozen and index == len(self.regions) + 1
        self.regions[name] = {"data": data, "size": size, "send": send, "read": read}

    def set_data(self, name, data):
        assert not self.frozen and len(data) <= self.regions[name]["size"], name
        assert all(0 <= word < 1 << 32 for word in data), name
        self.regions[name]["data"] = data

    def set_size(self, name, size):
        assert not self.frozen
        self.regions[name]["size"] = size

    def get_start_address(self, name):
        at = self.first + 4 * (2 + len(self.regions))
        for key, region in self.regions.items():
            at = -(-at // 16) * 16
            if key == name:
                return ByteAddr(at)
            at += 4 * region["size"]
        raise KeyError(name)

    def freeze(self):
        self.frozen = True

    def add_regions_to_config(self, config):
        starts = {name: self.get_start_address(name).value for name in self.regions}
        config.add_mem_data_to_send(self.first // 4, [*MAGIC, *starts.values()])
        for name, region in self.regions.items():
            if region["send"] and region["data"]:
                config.add_mem_data_to_send(starts[name] // 4, region["data"])
            if region["read"]:
                config.add_mem_region_to_read(name, MemoryRegion(starts[name] // 4, region["size"]))
