"""One LEMS file that includes the models of many exports."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ..artifact import Artifact

SIMULATION = "LEMS_"  # files of this prefix run something: they include their model themselves


def index(results: Mapping[str, tuple[str, ...]]) -> tuple[Artifact, ...]:
    """`index.xml`: an Include for each model file, in order of folders."""
    files = [
        f"{folder}/{file}"
        for folder, names in sorted(results.items())
        for file in sorted(names)
        if file.endswith((".xml", ".nml")) and not file.startswith(SIMULATION)
    ]
    lines = [f'    <Include file="{escape(file)}"/>' for file in files]
    text = "\n".join(["<Lems>", "    <!-- every model beside this file -->", *lines, "</Lems>", ""])
    return (Artifact("index.xml", text.encode()),) if files else ()
