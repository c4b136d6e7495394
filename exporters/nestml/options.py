"""Pairs of neurons and synapses as options of NESTML's code generator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...canonical_model.pairing import Pairing, Partner


def options_text(pairings: Iterable[Pairing], names: Mapping[str, str]) -> str:
    """The options as JSON, for `codegen_opts`; `names` are those that the models have in NESTML."""
    entries = []
    tables: dict[str, dict[str, Any]] = {
        "weight_variable": {}, "delay_variable": {}, "strictly_synaptic_vars": {}
    }  # fmt: skip
    for pairing in pairings:
        partners = {names.get(p.synapse, p.synapse): _ports(p) for p in pairing.synapses}
        if pairing.neuron:
            neuron = names.get(pairing.neuron, pairing.neuron)
            entries.append({"neuron": neuron, "synapses": partners})
        for item in pairing.synapses:
            given = (item.weight, item.delay, list(item.keep))
            for table, value in zip(tables.values(), given, strict=True):
                if value:
                    table[names.get(item.synapse, item.synapse)] = value
    options = {"neuron_synapse_pairs": entries, **{k: v for k, v in tables.items() if v}}
    return json.dumps(options, indent=2) + "\n"


def _ports(partner: Partner) -> dict[str, Any]:
    post = [*partner.post, *([port, quantity] for port, quantity in partner.reads.items())]
    found: dict[str, Any] = {"post_ports": post}
    if partner.modulators:
        found["vt_ports"] = list(partner.modulators)
    return found
