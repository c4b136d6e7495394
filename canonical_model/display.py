"""Components, networks and models for people: plain text for terminals, HTML for notebooks.

Both print the same sections (`describe.sections`); everything that comes from a model is escaped.
"""

from __future__ import annotations

import html

from .describe import (
    Cell,
    Rate,
    Section,
    component_sections,
    heading,
    model_sections,
    network_sections,
    visible,
)
from .expr_math import latex_name, print_latex, print_math
from .model import Component, Model
from .network import Network

MAX_ROWS = 100


def describe_component(component: Component) -> str:
    """A component as plain text: quantities with values, equations, regimes, events, children."""
    return _text(heading(component), component_sections(component))


def describe_network(network: Network) -> str:
    """A network as plain text: populations, projections, inputs, the run and what it records."""
    return _text(f"network {visible(network.name)}", network_sections(network))


def describe_model(model: Model) -> str:
    """A model as plain text: where it came from, its components by name, its network."""
    text = _text(f"model {visible(model.name)}", model_sections(model))
    return text if model.network is None else f"{text}\n{describe_network(model.network)}"


def component_html(component: Component) -> str:
    """What a notebook shows for a component."""
    return _html(heading(component), component_sections(component))


def network_html(network: Network) -> str:
    """What a notebook shows for a network."""
    return _html(f"network {visible(network.name)}", network_sections(network))


def model_html(model: Model) -> str:
    """What a notebook shows for a model."""
    shown = _html(f"model {visible(model.name)}", model_sections(model))
    return shown if model.network is None else shown + network_html(model.network)


def _text(title: str, sections: list[Section]) -> str:
    lines = [title]
    for section in sections:
        lines.append(f"  {section.title}")
        rows = [[_cell_text(cell) for cell in row] for row in section.rows[:MAX_ROWS]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append(f"    {'  '.join(padded)}".rstrip())
        if len(section.rows) > MAX_ROWS:
            lines.append(f"    ... and {len(section.rows) - MAX_ROWS} more")
    return "\n".join(lines) + "\n"


def _cell_text(cell: Cell) -> str:
    parts = []
    for part in cell:
        match part:
            case str():
                parts.append(visible(part))
            case Rate(name):
                parts.append(f"d{visible(name)}/dt")
            case _:
                parts.append(print_math(part))
    return "".join(parts)


def _html(title: str, sections: list[Section]) -> str:
    """Mathematics is typeset only where we wrote it, never in text that came with the model."""
    parts = ['<div class="interspike tex2jax_ignore mathjax_ignore">']
    parts.append(f"<strong>{html.escape(title)}</strong>")
    for section in sections:
        parts.append(f"<details open><summary>{html.escape(section.title)}</summary><table>")
        for row in section.rows[:MAX_ROWS]:
            cells = "".join(f'<td style="text-align:left">{_cell_html(cell)}</td>' for cell in row)
            parts.append(f"<tr>{cells}</tr>")
        if len(section.rows) > MAX_ROWS:
            parts.append(f"<tr><td>... and {len(section.rows) - MAX_ROWS} more</td></tr>")
        parts.append("</table></details>")
    parts.append("</div>")
    return "".join(parts)


def _cell_html(cell: Cell) -> str:
    parts = []
    for part in cell:
        match part:
            case str():
                parts.append(html.escape(visible(part)))
            case Rate(name):
                parts.append(_mathematics(rf"\frac{{d{latex_name(name)}}}{{dt}}"))
            case _:
                parts.append(_mathematics(print_latex(part)))
    return "".join(parts)


def _mathematics(latex: str) -> str:
    escaped = html.escape(latex)
    return rf'<span class="tex2jax_process mathjax_process">\({escaped}\)</span>'
