"""Networks and experiments as NeuroML's elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...canonical_model.diagnostics import Level, refuse
from ...canonical_model.network import Experiment, Input, Network, Population, Projection, Recording
from ...canonical_model.passes.probes import split_path
from .document import Document, Written
from .markup import Node, number
from .names import Names
from .standard import seconds_text

if TYPE_CHECKING:
    from ...canonical_model.network import Floats

MAX_ROWS = 2_000_000
MICRO = 1e-6
DIRECT = "directConnection"
DELAYED = "delayedConnection"


def write_network(network: Network, document: Document) -> tuple[list[Node], str]:
    """Network and Simulation elements, and the id of what is to be run. Raises ModelError P23x."""
    writer = _Writer(network, document)
    if _is_lone(network):
        assert network.experiment is not None
        target = document.written[network.populations[0].component].id
        simulation = writer.simulation(network.experiment, target)
        return [simulation], simulation.attributes["id"]
    node = writer.run()
    if network.experiment is None:
        return [node], ""
    simulation = writer.simulation(network.experiment, node.attributes["id"])
    return [node, simulation], simulation.attributes["id"]


def _is_lone(network: Network) -> bool:
    """One instance of a component that runs without any network."""
    if network.experiment is None or len(network.populations) != 1:
        return False
    (only,) = network.populations
    is_bare = only.positions is None and not (only.parameters or only.initial or only.is_list)
    joins = (*network.projections, *network.inputs, *network.quantities)
    same_name = only.name == only.component == network.name
    return same_name and only.size == 1 and is_bare and not joins and not network.experiment.events


class _Writer:
    """Writes one network."""

    def __init__(self, network: Network, document: Document) -> None:
        self.network = network
        self.document = document
        self.ids = Names()
        self.sizes = {p.name: p for p in network.populations}

    def run(self) -> Node:
        """The network element."""
        document, network = self.document, self.network
        node = Node("network", {"id": document.ids.get(network.name, "network")})
        for name, value in network.quantities.items():
            if name == "temperature":
                node.attributes |= {
                    "type": "networkWithTemperature",
                    "temperature": f"{number(value)}K",
                }
            else:
                message = f"the network's own quantity '{name}' has no place in NeuroML"
                document.log.add("P230", Level.DROPPED, message, network.span)
        node.add(*(self.population(item) for item in network.populations))
        for item in network.projections:
            node.add(*self.projection(item))
        node.add(*(self.input(item) for item in network.inputs))
        return node

    def id(self, name: str, kind: str) -> str:
        """The id of a part of the network."""
        return self.ids.get(name, f"{kind} {name}")

    def population(self, item: Population) -> Node:
        """A population by size, or as a list of placed cells."""
        written = self.document.written[item.component]
        node = Node("population", {"id": self.id(item.name, "population"), "component": written.id})
        if not item.is_list and item.positions is None:
            node.attributes["size"] = str(item.size)
        else:
            node.attributes |= {"type": "populationList", "size": str(item.size)}
        if item.properties:
            notes = Node("annotation")
            for tag, value in item.properties.items():
                notes.add(Node("property", {"tag": tag, "value": value}))
            node.add(notes)
        if item.is_list or item.positions is not None:
            for k in range(item.size):
                cell = Node("instance", {"id": str(k)})
                if item.positions is not None:
                    place = (number(_micro(float(value))) for value in item.positions[k])
                    cell.add(Node("location", dict(zip("xyz", place, strict=True))))
                node.add(cell)
        return node

    def is_list(self, name: str) -> bool:
        """Is a population written as a list?"""
        item = self.sizes[name]
        return item.is_list or item.positions is not None

    def cell(self, population: str, index: int, prefix: str = "../") -> str:
        """The path of a cell."""
        name = self.id(population, "population")
        if self.is_list(population):
            written = self.document.written[self.sizes[population].component]
            return f"{prefix}{name}/{index}/{written.id}"
        return f"{prefix}{name}[{index}]"

    def projection(self, item: Projection) -> Iterator[Node]:
        """A projection of any kind."""
        if len(item.pre) > MAX_ROWS:
            message = f"'{item.name}' has {len(item.pre)} connections, too many to be listed"
            raise refuse("P232", message, item.span, hint=f"at most {MAX_ROWS}")
        if item.kind != "event":
            yield self.tunnel(item)
        elif not item.synapse:
            yield from self.direct(item)
        else:
            yield self.events(item)

    def ends(self, tag: str, item: Projection) -> Node:
        """A projection element."""
        return Node(
            tag,
            {
                "id": self.id(item.name, "projection"),
                "presynapticPopulation": self.id(item.source, "population"),
                "postsynapticPopulation": self.id(item.target, "population"),
            },
        )

    def events(self, item: Projection) -> Node:
        """Spikes through a synapse at the target."""
        node = self.ends("projection", item)
        node.attributes["synapse"] = self.document.written[item.synapse].id
        has_more = item.weight is not None or (item.delay is not None and np.any(item.delay))
        for k, (pre, post) in enumerate(zip(item.pre, item.post, strict=True)):
            row = {
                "id": str(k),
                "preCellId": self.cell(item.source, int(pre)),
                "postCellId": self.cell(item.target, int(post)),
            }
            if has_more:
                row["weight"] = number(_at(item.weight, k, 1.0))
                row["delay"] = seconds_text(_at(item.delay, k, 0.0))
            if item.attachment:
                row["destination"] = item.attachment
            node.add(Node("connectionWD" if has_more else "connection", row))
        return node

    def direct(self, item: Projection) -> Iterator[Node]:
        """Events that go straight to a port of the target."""
        if item.weight is not None and np.any(np.asarray(item.weight) != 1.0):
            message = f"the weights of '{item.name}' go with the events, which LEMS cannot hold"
            raise refuse("P233", message, item.span)
        kind = DIRECT if item.delay is None else DELAYED
        self.document.direct_type(kind, item.delay is not None)
        target = self.document.written[self.sizes[item.target].component]
        source = self.document.written[self.sizes[item.source].component]
        for k, (pre, post) in enumerate(zip(item.pre, item.post, strict=True)):
            row = {
                "type": kind,
                "from": self.cell(item.source, int(pre), ""),
                "to": self.cell(item.target, int(post), ""),
            }
            if item.delay is not None:
                row["delay"] = seconds_text(float(item.delay[k]))
            if item.source_port:
                row["sourcePort"] = source.port(item.source_port)
            if item.target_port:
                row["targetPort"] = target.port(item.target_port)
            yield Node("explicitConnection", row)

    def tunnel(self, item: Projection) -> Node:
        """Gap junctions and graded synapses."""
        is_electrical = item.kind == "electrical"
        tag = "electricalProjection" if is_electrical else "continuousProjection"
        node = self.ends(tag, item)
        before = self.document.written[item.pre_synapse or item.synapse].id
        after = self.document.written[item.synapse].id
        parts = (
            {"synapse": after}
            if is_electrical
            else {"preComponent": before, "postComponent": after}
        )
        row_tag = "electricalConnection" if is_electrical else "continuousConnection"
        has_paths = (
            item.weight is not None or self.is_list(item.source) or self.is_list(item.target)
        )
        if has_paths:
            row_tag += "InstanceW" if item.weight is not None else "Instance"
        for k, (pre, post) in enumerate(zip(item.pre, item.post, strict=True)):
            row = {
                "id": str(k),
                "preCell": self.cell(item.source, int(pre)) if has_paths else str(pre),
                "postCell": self.cell(item.target, int(post)) if has_paths else str(post),
                **parts,
            }
            if item.weight is not None:
                row["weight"] = number(float(item.weight[k]))
            node.add(Node(row_tag, row))
        return node

    def input(self, item: Input) -> Node:
        """A list of inputs."""
        host = self.document.written[self.sizes[item.population].component]
        node = Node(
            "inputList",
            {
                "id": self.id(item.name, "input"),
                "component": self.document.written[item.component].id,
                "population": self.id(item.population, "population"),
            },
        )
        slot = item.attachment or (host.attachments[0] if len(host.attachments) > 1 else "")
        for k, index in enumerate(item.index):
            row = {
                "id": str(k),
                "target": self.cell(item.population, int(index)),
            }
            if slot:
                row["destination"] = slot
            if item.weight is not None:
                row["weight"] = number(float(item.weight[k]))
            node.add(Node("inputW" if item.weight is not None else "input", row))
        return node

    def simulation(self, item: Experiment, target: str) -> Node:
        """The Simulation element with its files and displays."""
        document = self.document
        node = Node("Simulation", {"id": document.ids.get(item.name or "sim", "simulation")})
        node.attributes["length"] = seconds_text(item.length)
        node.attributes["step"] = seconds_text(item.step)
        node.attributes["target"] = target
        if item.seed is not None:
            node.attributes["seed"] = str(item.seed)
        if item.displays:
            node.add(self.display(item))
        files: dict[str, list[Recording]] = {}
        for recording in item.recordings:
            files.setdefault(recording.file or f"{target}.dat", []).append(recording)
        for k, (file, recordings) in enumerate(files.items()):
            output = Node("OutputFile", {"id": f"of{k}", "fileName": file})
            for n, recording in enumerate(recordings):
                path = self.quantity(recording.path)
                if not path:
                    continue
                output.add(Node("OutputColumn", {"id": f"of{k}_{n}", "quantity": path}))
            node.add(output)
        events: dict[tuple[str, str], list[Node]] = {}
        for n, event in enumerate(item.events):
            key = (event.file or f"{target}.spikes", event.format)
            row = {"id": str(n), "select": self.quantity(event.path), "eventPort": event.port}
            place = split_path(event.path, self.network)
            if place is not None:
                row["eventPort"] = self.owner(place[0]).port(event.port)
            events.setdefault(key, []).append(Node("EventSelection", row))
        for k, ((file, form), rows) in enumerate(events.items()):
            attributes = {"id": f"eof{k}", "fileName": file, "format": form}
            node.add(Node("EventOutputFile", attributes).add(*rows))
        return node

    def display(self, item: Experiment) -> Node:
        """One display with all lines."""
        length = number(round(item.length * 1e3, 9))
        node = Node("Display", {
            "id": "display", "title": item.name or "sim", "timeScale": "1ms", "xmin": "0",
            "xmax": length, "ymin": "-100", "ymax": "100",
        })  # fmt: skip
        for k, line in enumerate(item.displays):
            path = self.quantity(line.path)
            if not path:
                continue
            node.add(Node("Line", {
                "id": line.label or f"line{k}", "quantity": path,
                "scale": number(line.scale), "timeScale": "1ms",
            }))  # fmt: skip
        return node

    def owner(self, population: str) -> Written:
        """What the component of a population became."""
        return self.document.written[self.sizes[population].component]

    def quantity(self, path: str) -> str:
        """A recorded path in the document's names."""
        place = split_path(path, self.network)
        if place is None or place[0] not in self.sizes:
            return path
        population, index, inner = place
        if inner and not self.owner(population).has(inner):
            message = f"'{path}' cannot be recorded: '{inner}' is not in what is written"
            self.document.log.add("P235", Level.DROPPED, message)
            return ""
        if _is_lone(self.network):
            return self.owner(population).path(inner)
        if not inner:
            return self.cell(population, index, "")
        return f"{self.cell(population, index, '')}/{self.owner(population).path(inner)}"


def _at(values: Floats | None, k: int, default: float) -> float:
    return default if values is None else float(values[k])


def _micro(value: float) -> float:
    """Micrometres that read back as the same number of metres."""
    scaled = round(value / MICRO, 9)
    return scaled if scaled * MICRO == value else value / MICRO


__all__ = ["write_network"]
