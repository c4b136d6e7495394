"""LEMS files that include the models of many exports."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape

from ..artifact import Artifact

SIMULATION = "LEMS_"  # files of this prefix run something: they include their model themselves
# what stands at the top of a file that we write, by its name
_TOP = re.compile(rb'^    <([\w.]+) (?:id|name|symbol)="([^"]*)"(.*)$', re.MULTILINE)
_SHARED = (b"Dimension", b"Unit")  # may be defined again, if alike


def index(
    results: Mapping[str, tuple[str, ...]], read: Callable[[str], bytes]
) -> tuple[Artifact, ...]:
    """`index.xml`: an Include for each model file, in order of folders.

    LEMS has one space of names: a file that defines what another defines goes to `index_2.xml`, or a
    further one, so that each of these can be read whole.
    """
    groups: list[tuple[list[str], dict[tuple[bytes, bytes], bytes]]] = []
    for folder, names in sorted(results.items()):
        for name in sorted(names):
            file = f"{folder}/{name}"
            if not name.endswith((".xml", ".nml")) or name.startswith(SIMULATION):
                continue
            own = _definitions(read(file))
            group = next((each for each in groups if not _clash(own, each[1])), None)
            if group is None:
                group = ([], {})
                groups.append(group)
            group[0].append(file)
            group[1].update(own)
    return tuple(
        Artifact(_name(number), _text(files, number, len(groups)))
        for number, (files, _) in enumerate(groups, 1)
    )


def _definitions(data: bytes) -> dict[tuple[bytes, bytes], bytes]:
    """What a file defines: for units and dimensions their text, since those may stand twice."""
    found = {}
    for kind, name, rest in _TOP.findall(data):
        if kind in _SHARED:
            found[kind, name] = rest
        else:
            found[b"ComponentType" if kind == b"ComponentType" else b"", name] = b""
    return found


def _clash(
    own: Mapping[tuple[bytes, bytes], bytes], known: Mapping[tuple[bytes, bytes], bytes]
) -> bool:
    return any(key in known and (key[0] not in _SHARED or known[key] != own[key]) for key in own)


def _name(number: int) -> str:
    return "index.xml" if number == 1 else f"index_{number}.xml"


def _text(files: list[str], number: int, count: int) -> bytes:
    what = "every model beside this file"
    if count > 1:
        others = ", ".join(_name(k) for k in range(1, count + 1) if k != number)
        what = f"models that define nothing twice; the others are in {others}"
    lines = [f'    <Include file="{escape(file)}"/>' for file in files]
    return "\n".join(["<Lems>", f"    <!-- {what} -->", *lines, "</Lems>", ""]).encode()
