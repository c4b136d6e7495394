"""Stand-in for py-spinnaker2: networks."""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Population:
    size: int
    neuron_model: object
    params: dict
    name: str = ""
    record: list = field(default_factory=list)


@dataclass(eq=False)
class Projection:
    pre: Population
    post: Population
    connections: list
    name: str = ""


@dataclass
class Network:
    name: str = ""
    populations: list = field(default_factory=list)
    projections: list = field(default_factory=list)

    def add(self, *items):
        for item in items:
            kind = self.populations if isinstance(item, Population) else self.projections
            kind.append(item)
