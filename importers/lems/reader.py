"""The LEMS and NeuroML2 importer: a file with its includes becomes a canonical `Model`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...canonical_model import model
from ...canonical_model.diagnostics import Log, Span
from ...canonical_model.network import Network, Population
from ...lems_types import syntax
from ...lems_types.lower import Lowering
from ...lems_types.types import Types
from .experiment import find_simulation, read_experiment
from .includes import Documents, load_documents
from .networks import read_network
from .parse import Document, need, parse_documents
from .structure import build_network, is_network


def read(
    path: Path | None,
    data: bytes | None,
    *,
    file: str = "",
    search_path: Sequence[Path] = (),
    component: str | None = None,
    log: Log,
) -> model.Model:
    """Read a LEMS or NeuroML2 document, from `path` or from `data` (named `file` in messages).

    Raises ModelError with every mistake found up to the end of the stage that failed.
    """
    documents = load_documents(path, data, search_path, log, file)
    document = parse_documents(documents.all, log)
    types = Types(document)
    lowering = Lowering(types, log)
    components = _lower_all(document, lowering, log)
    network, inline = _network(document, documents, lowering, log)
    log.stop_on_error()
    name = network.name if network else component or Path(file or "model").stem
    return model.Model(
        name=name,
        components=(*components, *inline),
        network=network,
        provenance=_provenance(path, data, file, documents),
    )


def _provenance(
    path: Path | None, data: bytes | None, file: str, documents: Documents
) -> model.Provenance:
    digest = hashlib.sha256()
    if data is not None:
        digest.update(data)
    elif path is not None:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    is_neuroml = documents.main.tag == "neuroml"
    return model.Provenance(
        source=path.name if path else file,
        language="NeuroML2" if is_neuroml else "LEMS",
        sha256=digest.hexdigest(),
    )


def _lower_all(document: Document, lowering: Lowering, log: Log) -> tuple[model.Component, ...]:
    """Every top-level component; mistakes are gathered over all of them."""
    found = []
    for name in document.types:
        with log.gather():
            lowering.dynamics(lowering.types.resolve(name))
    for name, written in document.components.items():
        with log.gather():
            resolved = lowering.types.resolve(written.type or written.tag, written.span)
            if not is_network(written, resolved, lowering):
                found.append(lowering.by_id(name))
    log.stop_on_error()
    return tuple(found)


def _network(
    document: Document, documents: Documents, lowering: Lowering, log: Log
) -> tuple[Network | None, tuple[model.Component, ...]]:
    """The network that the Simulation targets, or the only one there is, with its experiment."""
    simulation = find_simulation(document)
    experiment = read_experiment(simulation, lowering.types) if simulation else None
    if experiment is not None and simulation is not None:
        target = need(simulation, "target")
        span = simulation.attribute_span("target")
    else:
        target = document.target or _only_network(document, documents)
        span = document.target_span or Span()
    if not target and not documents.hdf5:
        return None, ()
    network, inline = _build(target, span, document, documents, lowering, log)
    return (replace(network, experiment=experiment) if network else None), inline


def _only_network(document: Document, documents: Documents) -> str:
    names = list(document.networks)
    return names[0] if len(names) == 1 else ""


def _build(
    target: str,
    span: Span,
    document: Document,
    documents: Documents,
    lowering: Lowering,
    log: Log,
) -> tuple[Network | None, tuple[model.Component, ...]]:
    def units(text: str, dimension: str, place: Span | None) -> float:
        return lowering.types.quantity(text, lowering.types.dimension(dimension), place).si

    element = document.networks.get(target)
    if element is not None:
        return read_network(element, units, log), ()
    for path in documents.hdf5:
        from .hdf5 import read_hdf5_network

        network = read_hdf5_network(path, units, log)
        if network is not None and (not target or network.name == target):
            return network, ()
    if not target:
        return None, ()
    written = document.components.get(target)
    if written is None:
        # by_id reports what is known
        lowering.by_id(target, span)
        return None, ()
    return _root(written, lowering, log)


def _root(
    written: syntax.Component, lowering: Lowering, log: Log
) -> tuple[Network, tuple[model.Component, ...]]:
    """A target that is not a NeuroML network: an own network type, or one component."""
    resolved = lowering.types.resolve(written.type or written.tag, written.span)
    if is_network(written, resolved, lowering):
        return build_network(written, lowering, log)
    component = lowering.by_id(written.id)
    population = Population(name=component.name, component=component.name, size=1)
    return Network(name=component.name, populations=(population,), span=written.span), ()
