"""The NineML importer: a file with those that it refers to becomes a canonical `Model`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...canonical_model import model
from ...canonical_model.diagnostics import Level, Log, error, suggest
from .components import Components
from .documents import Documents, load_documents
from .format import OPTIONS
from .kept import library_note
from .options import APPLY, IGNORE, Options
from .syntax import Dynamics, Library, Multi, Population, Properties, Reference

PART = "part"  # in our annotations: a component that is there for another one only


def read(
    path: Path | None,
    data: bytes | None,
    *,
    file: str = "",
    search_path: Sequence[Path] = (),
    component: str | None = None,
    log: Log,
    options: Mapping[str, str] | None = None,
) -> model.Model:
    """Read a NineML document from `path` or `data` (named `file` in messages).

    `component` may name the network where there are several. `options` are those of OPTIONS. Each
    component becomes a canonical component; a class that none gives values to stays one without values.
    Raises ModelError with every mistake found up to the end of the stage that failed.
    """
    chosen = parse_options(options or {})
    documents = load_documents(path, data, search_path, log, file, chosen)
    components = Components(documents, chosen, log)
    found = _components(documents, components, log)
    log.stop_on_error()
    from .network import read_network

    network, inline = read_network(documents, components, component, log)
    with log.gather():
        components.check_heeded()
    log.stop_on_error()
    main = documents.main
    name = network.name if network else component or Path(file or main.file).stem
    notes: tuple[str, ...] = (f"annotations={main.annotations}",) if main.annotations else ()
    if network is None:
        things = main.things.values()
        notes += tuple(library_note(thing) for thing in things if isinstance(thing, Library))
    return model.Model(
        name=name,
        components=(*found, *inline),
        network=network,
        provenance=model.Provenance(
            source=path.name if path else file,
            language="NineML",
            version=f"{main.version}.0",
            sha256=_digest(path, data),
            notes=notes,
        ),
    )


def parse_options(options: Mapping[str, str]) -> Options:
    """Options from texts. Raises ModelError X060."""
    regimes: dict[str, str] = {}
    for name, text in options.items():
        if name not in OPTIONS:
            hint = suggest(name, OPTIONS) or f"known: {', '.join(OPTIONS)}"
            raise error("X060", f"there is no option '{name}' for NineML", hint=hint)
        allowed = {"strict": ("yes", "no"), "offsets": (APPLY, IGNORE)}.get(name)
        if allowed and text not in allowed:
            raise error("X060", f"the option '{name}' is {' or '.join(allowed)}, not '{text}'")
        if name == "seed" and not text.isdecimal():
            raise error("X060", f"the option 'seed' is a whole number, not '{text}'")
    for part in options.get("regime", "").split(","):
        owner, _, regime = part.strip().rpartition(":")
        if regime:
            regimes[owner] = regime
    return Options(
        strict=options.get("strict") == "yes",
        regimes=regimes,
        offsets=options.get("offsets", IGNORE),
        seed=int(options["seed"]) if "seed" in options else None,
    )


def _components(
    documents: Documents, components: Components, log: Log
) -> tuple[model.Component, ...]:
    """Every dynamics of the main document: with values where a component gives them."""
    main = documents.main
    found: list[model.Component] = []
    used: set[str] = set()
    has_network = any(isinstance(thing, Population) for thing in main.things.values())
    with_values: list[tuple[str, Reference]] = []
    for name, thing in main.things.items():
        reference = Reference(name, thing.span, document=main.file)
        if PART in getattr(thing, "notes", ()):
            continue
        if isinstance(thing, Properties):
            with log.gather():
                _, definition, chain = documents.resolved(reference)
                if isinstance(definition, Dynamics | Multi):
                    with_values.append((name, reference))
                    used |= {definition.name} if chain[-1] is main else set()
                elif isinstance(definition, Library):
                    kind = "distribution" if definition.kind == "distribution" else "rule"
                    components.library(reference, kind)
                else:
                    message = f"'{name}' is made from '{definition.name}', which is no class"
                    hint = "a component that stands for another has a Prototype"
                    raise error("X046", message, thing.span, hint=hint)
        elif isinstance(thing, Multi) and thing.is_properties:
            with_values.append((name, reference))
            used.add(thing.class_name)  # the library writes it beside
    for thing in main.things.values():
        if isinstance(thing, Dynamics | Multi) and not getattr(thing, "is_properties", False):
            with log.gather():
                # checked in any case; kept where nobody gives values
                components.lowered(thing, main)
                if thing.name not in used and PART not in thing.notes:
                    found.append(components.bare(thing, main))
        elif isinstance(thing, Library) and not has_network:
            message = f"'{thing.name}' is kept only in what uses it"
            log.add("X230", Level.NOTE, message, thing.span)
    for _, reference in with_values:
        with log.gather():
            found.append(components.instance(reference).component)
    return tuple(found)


def _digest(path: Path | None, data: bytes | None) -> str:
    digest = hashlib.sha256()
    if data is not None:
        digest.update(data)
    elif path is not None:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
