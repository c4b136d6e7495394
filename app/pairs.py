"""Which neurons and synapses are made together: as a user writes it, or as NESTML's options say it.

Text: `NEURON:SYNAPSE[:ITEM,ITEM,...][+SYNAPSE...]`, an item being `post=PORT`, `vt=PORT`, `keep=STATE`,
`weight=NAME`, `delay=NAME`, or `PORT=VARIABLE` for a continuous port that reads a quantity of the neuron.
Without a neuron (`:SYNAPSE:weight=x`) the synapse is described only. Codes: A015 a target without pairs, A016
two models of one name, A017 a pair that cannot be read, A018 an option of NESTML without meaning here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from ..canonical_model.abilities import Support
from ..canonical_model.diagnostics import Level, Log, ModelError, error, refuse, suggest
from ..canonical_model.model import Component, Model
from ..canonical_model.pairing import Pairing, Partner
from ..exporters.format import Exporter

PairLike: TypeAlias = "str | Mapping[str, Any] | Pairing"
FORM = "NEURON:SYNAPSE[:post=PORT,vt=PORT,PORT=VARIABLE,keep=STATE,weight=NAME,delay=NAME]"
_LISTS = {"post": "post", "vt": "modulators", "keep": "keep"}
_NAMES = ("weight", "delay")
_TABLES = ("weight_variable", "delay_variable", "strictly_synaptic_vars")


def with_pairs(model: Model, pairs: Sequence[PairLike], suffix: str, log: Log) -> Model:
    """The model with these pairings and the suffix on the names of its components.

    Raises ModelError A017 (a pair that cannot be read), V16x (one that does not fit the models).
    """
    from ..canonical_model.verify_pairing import verify_pairings

    found = tuple(item for pair in pairs for item in pairings_of(pair, log))
    found = tuple(_completed(item, model.components) for item in found)
    issues = list(verify_pairings(found, model.components))
    if issues:
        raise ModelError(issues)
    return with_suffix(replace(model, pairings=(*model.pairings, *found)), suffix)


def held_by(model: Model, target: Exporter, component: str | None, log: Log) -> Model:
    """The model without its pairings where the target has no form for them, which is told to `log`.

    Raises ModelError A015 where the target makes one thing of all models, and none is chosen.
    """
    ability = target.abilities.get("pairs")
    if not model.pairings or (ability is not None and ability.support is not Support.NONE):
        return model
    names = [f"'{p.neuron}' and '{s.synapse}'" for p in model.pairings for s in p.synapses]
    message = f"'{target.name}' has no form for pairs: {', '.join(names)}"
    hint = "pairs are made for nest; nestml and canonical keep them"
    if target.takes == "circuit" and model.network is None and component is None:
        hint += "; plasticity on SpiNNaker2 is PyNN's (docs/pynn.md)"
        raise refuse("A015", message, hint=hint)
    log.add("A015", Level.DROPPED, f"{message} stand each for itself", hint=hint)
    return replace(model, pairings=())


def pairings_of(pair: PairLike, log: Log) -> Iterable[Pairing]:
    """The pairings that a text, a file of NESTML's options (`.json`), or such options say."""
    if isinstance(pair, Pairing):
        return (pair,)
    if isinstance(pair, Mapping):
        return _of_options(pair, log)
    if pair.endswith(".json"):
        return _of_options(_file(Path(pair)), log)
    return (_of_text(pair),)


def _of_text(text: str) -> Pairing:
    neuron, colon, rest = text.partition(":")
    if not colon or not rest:
        raise error("A017", f"'{text}' is no pair", hint=FORM)
    return Pairing(neuron=neuron, synapses=tuple(_partner(part, text) for part in rest.split("+")))


def _partner(part: str, text: str) -> Partner:
    name, _, items = part.partition(":")
    lists: dict[str, list[str]] = {"post": [], "modulators": [], "keep": []}
    names: dict[str, str] = {}
    reads: dict[str, str] = {}
    for item in filter(None, items.split(",")):
        key, equals, value = item.partition("=")
        if not equals or not key or not value or not name:
            raise error("A017", f"'{item}' in the pair '{text}' is no KEY=NAME", hint=FORM)
        if key in _LISTS:
            lists[_LISTS[key]].append(value)
        elif key in _NAMES:
            names[key] = value
        else:
            reads[key] = value
    return Partner(
        synapse=name, post=tuple(lists["post"]), modulators=tuple(lists["modulators"]),
        keep=tuple(lists["keep"]), reads=reads, **names,
    )  # fmt: skip


def _file(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        message = f"the options in '{path}' cannot be read: {problem}"
        raise error("A017", message, hint="a JSON object as NESTML takes it") from None
    if not isinstance(found, Mapping):
        raise error("A017", f"'{path}' holds no JSON object")
    return found


def _of_options(options: Mapping[str, Any], log: Log) -> list[Pairing]:
    """Options of NESTML's code generator, in the forms of its versions. Raises ModelError A017."""
    known = ("neuron_synapse_pairs", *_TABLES)
    for key in options:
        if key not in known:
            message = f"the option '{key}' of NESTML has no meaning here"
            log.add("A018", Level.NOTE, message, hint=suggest(key, known))
    tables = {key: options.get(key, {}) for key in _TABLES}
    found = []
    described: set[str] = set()
    try:
        for entry in options.get("neuron_synapse_pairs", ()):
            if isinstance(entry, Mapping) and "synapse" in entry:
                entry = {**entry, "synapses": {entry["synapse"]: entry}}
            elif not isinstance(entry, Mapping):
                entry = {"neuron": entry[0], "synapses": {entry[1]: {}}}
            partners = [_of_table(n, ports, tables) for n, ports in entry["synapses"].items()]
            described |= {item.synapse for item in partners}
            found.append(Pairing(neuron=str(entry["neuron"]), synapses=tuple(partners)))
        named = dict.fromkeys(name for table in tables.values() for name in table)
        alone = [_of_table(name, {}, tables) for name in named if name not in described]
    except (AttributeError, IndexError, KeyError, TypeError) as problem:
        what = f"{type(problem).__name__}: {problem}"
        raise error("A017", f"the pairs in NESTML's options cannot be read ({what})") from None
    return found + ([Pairing(neuron="", synapses=tuple(alone))] if alone else [])


def _of_table(name: str, ports: Mapping[str, Any], tables: Mapping[str, Any]) -> Partner:
    post = ports.get("post_ports", ())
    return Partner(
        synapse=name,
        post=tuple(item for item in post if isinstance(item, str)),
        reads={item[0]: item[1] for item in post if not isinstance(item, str)},
        modulators=tuple(ports.get("vt_ports", ())),
        keep=tuple(tables["strictly_synaptic_vars"].get(name, ())),
        weight=tables["weight_variable"].get(name, ""),
        delay=tables["delay_variable"].get(name, ""),
    )


def _completed(pairing: Pairing, components: tuple[Component, ...]) -> Pairing:
    """What nothing is said of: ports by their roles, the weight by custom, and a continuous port reads the
    neuron's quantity of its name."""
    from ..canonical_model.passes.partners import weight_of
    from ..canonical_model.verify_pairing import readable

    known = {item.name: item for item in components}
    neuron = known.get(pairing.neuron)
    quantities = readable(neuron) if neuron is not None else {}
    partners = []
    for partner in pairing.synapses:
        synapse = known.get(partner.synapse)
        if synapse is not None:
            inputs = synapse.analog_inputs
            more = {i.name: i.name for i in inputs if quantities.get(i.name) == i.dimension}
            partner = replace(
                partner,
                post=partner.post or _of_role(synapse, "post"),
                modulators=partner.modulators or _of_role(synapse, "modulator"),
                reads={**more, **partner.reads},
                weight=partner.weight or weight_of(synapse),
            )
        partners.append(partner)
    return replace(pairing, synapses=tuple(partners))


def _of_role(synapse: Component, role: str) -> tuple[str, ...]:
    return tuple(item.name for item in synapse.event_inputs if item.role == role)


def with_suffix(model: Model, suffix: str) -> Model:
    """Every component's name with `suffix`. Raises ModelError A017 for a model with a network."""
    if not suffix:
        return model
    if model.network is not None:
        raise error("A017", "a suffix is for files that hold models, not for a network")

    def named(pairing: Pairing) -> Pairing:
        partners = tuple(replace(p, synapse=p.synapse + suffix) for p in pairing.synapses)
        neuron = pairing.neuron and pairing.neuron + suffix
        return replace(pairing, neuron=neuron, synapses=partners)

    return replace(
        model,
        name=model.name + suffix,
        components=tuple(replace(c, name=c.name + suffix) for c in model.components),
        pairings=tuple(named(item) for item in model.pairings),
    )


def joined(models: Sequence[Model], component: str | None = None) -> Model:
    """Several models as one, `component` its main part: if that is no network, there is none.

    Raises ModelError A016 for two that have one name or a network each, W201 for an unknown component.
    """
    components: dict[str, Component] = {}
    for model in models:
        for item in model.components:
            if components.setdefault(item.name, item) != item:
                message = f"two of the files have a model '{item.name}', and they differ"
                raise error("A016", message, item.span)
    networks = [model.network for model in models if model.network is not None]
    if len(networks) > 1:
        raise error("A016", "two of the files have a network; convert them one by one")
    if component is not None and component not in (*components, *(n.name for n in networks)):
        hint = suggest(component, components)
        raise error("W201", f"there is no component '{component}'", hint=hint)
    if component in components:
        networks = []
    import hashlib

    first = models[0].provenance
    digest = hashlib.sha256("".join(m.provenance.sha256 for m in models).encode()).hexdigest()
    source = ", ".join(dict.fromkeys(m.provenance.source for m in models))
    return replace(
        models[0],
        name=component or models[0].name,
        components=tuple(components.values()),
        network=networks[0] if networks else None,
        provenance=replace(first, source=source, sha256=digest),
        pairings=tuple(item for model in models for item in model.pairings),
    )
