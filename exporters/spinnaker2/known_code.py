"""Events at known times, in the form for one PE: the host's trains and components' lists of times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .network_text import c_function, each_of, model_call, ticks_of
from .plan import GroupPlan

if TYPE_CHECKING:
    from .network_code import NetworkCode


def skips(code: NetworkCode) -> list[str]:
    """Times of lists that were before the first tick."""
    lines = []
    for item in code.plan.groups:
        for k, entry in enumerate(item.group.component.timed_events):
            name = f"g{item.number}_times_{k}"
            due = f"{name}_next < {len(entry.times)}u && {name}[{name}_next] <= rt_tick"
            lines += [f"while ({due})", f"    {name}_next++;"]
    return lines


def trains(code: NetworkCode) -> str:
    """A function that sends the events of trains that are due by now."""
    lines = []
    for number, train in enumerate(code.plan.circuit.trains):
        item = code.group(train.group)
        ticks = np.maximum(ticks_of(train.times, code.plan.step), 0)
        bit = [port.name for port in item.group.component.event_outputs].index(train.port)
        name = f"train_{number}"
        code.rows(f"{name}_tick", ticks, "<u4", "uint32_t")
        code.rows(f"{name}_index", train.index, "<u2", "uint16_t")
        code.declarations.append(f"static uint32_t {name}_next;")
        lines += [
            f"while ({name}_next < {len(ticks)}u && {name}_tick[{name}_next] <= rt_tick) {{",
            f"    g{item.number}_send({1 << bit}u, {name}_index[{name}_next]);",
            f"    {name}_next++;",
            "}",
        ]
    return c_function("static void send_known(void)", lines) if lines else ""


def timed(code: NetworkCode, item: GroupPlan, k: int, times: tuple[float, ...]) -> list[str]:
    """A list of ticks at which a body runs for all instances."""
    step = code.plan.step
    ticks = np.sort(np.maximum(ticks_of(times, step), 1))
    name = f"g{item.number}_times_{k}"
    code.rows(name, ticks, "<u4", "uint32_t")
    code.declarations.append(f"static uint32_t {name}_next;")
    return [
        f"while ({name}_next < {len(ticks)}u && {name}[{name}_next] <= rt_tick) {{",
        f"    {each_of(item)}",
        f"        g{item.number}_send({model_call(item, f'timed_{k}', 'i')}, i);",
        f"    {name}_next++;",
        "}",
    ]
