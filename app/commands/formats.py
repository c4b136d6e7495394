"""`interspike formats`: the one table of abilities, as text, JSON or Markdown."""

from __future__ import annotations

import argparse

from ...canonical_model.abilities import FEATURES, Ability, none
from ...exporters.format import Exporter
from ...importers.format import Importer
from .. import registry

_ABSENT = none()


def run(arguments: argparse.Namespace) -> int:
    """Print the formats. Raises ModelError for plug-ins that cannot be used."""
    rows: list[tuple[str, Importer | Exporter, str]] = [
        *(("from", item, origin) for item, origin in registry.importers()),
        *(("to", item, origin) for item, origin in registry.exporters()),
    ]
    if arguments.json:
        import json

        print(json.dumps([_data(*row) for row in rows], indent=2))
    elif arguments.markdown:
        print(markdown(rows), end="")
    else:
        print(text(rows), end="")
    return 0


def text(rows: list[tuple[str, Importer | Exporter, str]]) -> str:
    """The table for a terminal: a column a format, a row a feature."""
    lines = []
    for direction, item, origin in rows:
        by = "" if origin == "interspike" else f"  (plug-in: {origin})"
        lines.append(f"{direction:5}{item.name:12} {item.title}{by}")
    heads = [f"{direction} {item.name}" for direction, item, _ in rows]
    widths = [max(len(head), 5) for head in heads]
    label = max(len(name) for name in FEATURES)
    lines += ["", " " * label + "  " + "  ".join(heads)]
    for feature in FEATURES:
        cells = [
            item.abilities.get(feature, _ABSENT).support.value.ljust(width)
            for (_, item, _), width in zip(rows, widths, strict=True)
        ]
        lines.append(f"{feature:{label}}  {'  '.join(cells)}".rstrip())
    lines += ["", "full: carried whole; lossy: with a loss that the report states; none: refused"]
    return "\n".join(lines) + "\n"


def markdown(rows: list[tuple[str, Importer | Exporter, str]]) -> str:
    """The page docs/formats.md."""
    lines = [
        "# Formats and what each can hold",
        "",
        "Printed by `interspike formats --markdown` from the tables in the format folders, the same",
        "that decide what a conversion refuses. *full*: carried whole; *lossy*: with the loss that the",
        "report states; *none*: refused.",
    ]
    for direction, item, _ in rows:
        lines += ["", f"## {direction} {item.name}: {item.title}", "", *_facts(item)]
        lines += ["", "| feature | support | note |", "|---|---|---|"]
        for feature, meaning in FEATURES.items():
            ability = item.abilities.get(feature, _ABSENT)
            lines.append(f"| {meaning} | {ability.support.value} | {ability.note} |")
    return "\n".join(lines) + "\n"


def _facts(item: Importer | Exporter) -> list[str]:
    if isinstance(item, Importer):
        return [f"File endings: {', '.join(f'`{ending}`' for ending in item.endings)}"]
    if item.run:
        return [f"`interspike run` executes it on: {', '.join(item.backends)}"]
    return ["Not executed by `interspike run`."]


def _data(direction: str, item: Importer | Exporter, origin: str) -> dict[str, object]:
    def cell(ability: Ability) -> dict[str, str]:
        return {"support": ability.support.value, "note": ability.note}

    return {
        "direction": direction,
        "name": item.name,
        "title": item.title,
        "origin": origin,
        "abilities": {key: cell(item.abilities.get(key, _ABSENT)) for key in FEATURES},
    }
