"""What the emulator needs: `layout.json`, which tells how to run applications and read them, and packets."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from ...canonical_model.circuit import Circuit
from ...canonical_model.query import declared
from ...canonical_model.units import NONE
from ...spinnaker2 import memory
from .application import Application, place_of
from .attached import target_ports
from .cost import neuron_cost, step_cost
from .feeds import copies
from .partition import App, Slice, attached_cycles
from .pe_image import PeImage
from .plan import state_fields, unit_system


def layout(application: Application, circuit: Circuit) -> dict[str, Any]:
    """What the emulator needs: programs, PEs, routes, packets of lists, where records are found."""
    partition = application.partition
    apps = {id(app): number for number, app in enumerate(partition.apps)}
    return {
        "format": 2,
        "form": "application",
        "name": application.plan.name,
        "step_s": application.step,
        "ticks": application.ticks,
        "first": application.first,
        "units": unit_system(application.plan),
        "apps": [_app_entry(app) for app in partition.apps],
        "pes": [
            {
                "app": apps[id(application.app(part))],
                "population": part.group.group.name,
                "start": part.start,
                "stop": part.stop,
                "rows": image.rows,
                "synapses": image.synapses,
                "copies": copied(application, part),
                "attached": _instances(application, part),
                "attached_cycles": _instance_cycles(application, part),
                "traces": len(order.traced),
                "spikes": order.record_spikes,
                "sram": _sram(image),
            }
            for part, image, order in zip(
                partition.slices, application.images, application.orders, strict=True
            )
        ],
        "routes": [[key, mask, list(pes)] for key, mask, pes in application.routes],
        "events": _event_entries(application, circuit),
        "traces": _trace_entries(application, circuit),
    }


def _app_entry(app: App) -> dict[str, Any]:
    return {
        "name": app.name,
        "word": str(app.word),
        "receptors": [f"{port} {'+' if sign > 0 else '-'}" for port, sign in app.types],
        "delays": app.word.slots,
        "ports": app.ports,
        "counts": app.model.repeats,
        "types": [[port, sign] for port, sign in app.types],
        "bits": {"delay": app.word.delay, "type": app.word.type, "index": app.word.index},
        "ring_width": app.ring_bytes,
        **state_fields(app.model),
        "feeds": [
            {
                "group": feed.source.group.name,
                "row": feed.row,
                "draws": feed.draws,
                **state_fields(feed.source.model),
            }
            for feed in app.feeds
        ],
        "attached": [
            {
                "group": group.attachment.name,
                "ports": [bundle.port for bundle in group.bundles],
                **state_fields(group.item.model),
            }
            for group in app.attached
        ],
        "attached_ports": target_ports(app.attached),
        "attached_cycles": attached_cycles(app),
        "neurons": app.neurons,
        "neuron_bytes": app.state_bytes,
        "ring_bytes": app.ring,
        "cost": asdict(neuron_cost(app.model, len(app.types))),
    }


def copied(application: Application, part: Slice) -> list[list[int]]:
    """Instances of each source that are copied to a PE."""
    links, name = application.network.circuit.analog_links, part.group.group.name
    return [
        copies(feed, name, part.start, part.stop, links).tolist()
        for feed in application.app(part).feeds
    ]


def _instances(application: Application, part: Slice) -> list[list[int]]:
    """Instances of each attached group on a PE."""
    name = part.group.group.name
    return [
        group.between(part.start, part.stop).tolist() if group.attachment.host == name else []
        for group in application.app(part).attached
    ]


def _instance_cycles(application: Application, part: Slice) -> float:
    """Cycles of a tick for the synapses with states of a PE."""
    attached = application.app(part).attached
    counts = (len(used) for used in _instances(application, part))
    pairs = zip(attached, counts, strict=True)
    return sum(n * step_cost(group.item.model).cycles for group, n in pairs)


def _sram(image: PeImage) -> dict[str, int]:
    """Bytes of DATA by use; `free` is what records share."""
    sizes = {name: size for name, (_, size) in image.regions.items()}
    return {
        "data": len(image.data),
        "rows": sizes["SYN_ROW"] + sizes["MPT"],
        "neurons": sizes["NEURONS_PARAMS"],
        "records": image.recorded,
        "ring": image.ring,
        "used": image.used + sizes["LOG"],
        "free": memory.DATA.size - image.used - sizes["LOG"],
    }


def list_packets(application: Application) -> bytes:
    """(tick, key) of everything that the host sends, in order, as words."""
    keys = application.partition.keys
    tables = [
        np.stack([item.tick, keys[item.group, item.port][item.index]], axis=1)
        for item in application.network.known
    ]
    if not tables:
        return b""
    table = np.concatenate(tables)
    return table[np.lexsort((table[:, 1], table[:, 0]))].astype("<u4").tobytes()


def _event_entries(application: Application, circuit: Circuit) -> list[dict[str, Any]]:
    """Where the events of each probe are found: PE and bit, and the key where the host sends some."""
    partition = application.partition
    lists = {item.group.name for item in application.network.lists}
    sent = lists | {item.group for item in application.network.known}
    found: list[dict[str, Any]] = []
    for probe in circuit.event_probes:
        entry: dict[str, Any] = {"label": probe.label}
        if probe.group in sent:
            entry["key"] = int(partition.keys[probe.group, probe.variable][probe.index])
        if probe.group not in lists:
            part = partition.holder(probe.group, probe.index)
            ports = [port.name for port in part.group.group.component.event_outputs]
            bit = ports.index(probe.variable) * part.size + probe.index - part.start
            entry |= {"pe": part.number, "bit": bit}
        found.append(entry)
    return found


def _trace_entries(application: Application, circuit: Circuit) -> list[dict[str, Any]]:
    """Where each probe's values are recorded, and their unit."""
    taken: dict[int, int] = {}
    found = []
    for probe in circuit.probes:
        links = application.network.circuit.analog_links
        part, _, _ = place_of(application.partition, probe, links)
        column = taken.get(part.number, 0)
        taken[part.number] = column + 1
        component = application.plan.circuit.group(probe.group).component
        dimensions = {d.name: d.dimension for d in declared(component)}
        dimensions.update({i.name: i.dimension for i in component.analog_inputs})
        si = application.plan.units.size(dimensions.get(probe.variable, NONE))
        found.append({"label": probe.label, "pe": part.number, "column": column, "si": si})
    return found


def machine_layout(application: Application, circuit: Circuit) -> str:
    """The same as JSON text."""
    entries = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in layout(application, circuit).items()]
    return "{\n" + ",\n".join(entries) + "\n}\n"
