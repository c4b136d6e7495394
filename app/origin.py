"""What a language cannot hold comes back: a text target's file carries the model that it was written from.

The canonical text stands, compressed, in a comment at the end. It is believed only where writing that
model again gives the very file: what was edited, or written by another version, is read as it stands.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from ..canonical_model.diagnostics import Level, Log, ModelError, Span
from ..canonical_model.model import Model
from ..canonical_model.serial import ORIGIN, dumps, loads
from ..canonical_model.verify import verify_model
from ..exporters.artifact import Artifact
from ..exporters.format import Exporter
from . import registry
from .load import RECURSION

MARK = ORIGIN.encode()
END = b"interspike:end"
WIDTH = 100
MAX_VALUES = 20_000  # numbers in arrays of a network; larger ones carry no origin
MAX_TEXT = 8_000_000  # characters of the canonical text
MAX_PARTS = 50  # components written to files of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a file depends on besides its model: the target and the options of the conversion."""

    target: str
    options: Mapping[str, Any]


def attach(
    artifacts: Sequence[Artifact], model: Model, target: Exporter, making: Making
) -> tuple[Artifact, ...]:
    """The artifacts with their origin: each with that of its component, else the first with that of all."""
    if not target.comment or not artifacts or _count(model.network) > MAX_VALUES:
        return tuple(artifacts)
    if len(artifacts) > 1 and model.network is None and not model.pairings:
        parts = _by_part(artifacts, model, target, making)
        if len(parts) == len(artifacts):
            return tuple(parts[item.path] for item in artifacts)
    return (_with(artifacts[0], model, target, making), *artifacts[1:])


def _by_part(
    artifacts: Sequence[Artifact], model: Model, target: Exporter, making: Making
) -> dict[str, Artifact]:
    """By path, files that hold one component each with the origin of that."""
    plain = {item.data: item for item in artifacts}
    found: dict[str, Artifact] = {}
    for component in model.components[:MAX_PARTS]:
        part = replace(model, components=(component,))
        try:
            again = _write(part, making)
        except ModelError:
            continue
        if len(again) == 1 and again[0].data in plain:
            known = plain[again[0].data]
            found[known.path] = _with(known, part, target, making)
    return found


def recall(files: Sequence[bytes], name: str, log: Log) -> Model | None:
    """The model that unchanged files were written from, all that it gave; else None. A note says which."""
    found = [_split(data) for data in files]
    packed = [lines for _, lines in found if lines]
    if len(packed) != 1:
        return None
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
    try:
        making, model = _read(packed[0], name)
        target = registry.exporter(making.target)
        begin = (target.comment or ("", "", ""))[0].encode()
        plain = {data.removesuffix(begin) if lines else data for data, lines in found}
        is_sound = all(issue.level is not Level.ERROR for issue in verify_model(model))
        is_same = is_sound and plain == {item.data for item in _write(model, making)}
    except (ModelError, ValueError, KeyError, TypeError, zlib.error):
        is_same = False
    if not is_same:
        message = "changed since it was made, or made otherwise or together with other files: "
        log.add("A251", Level.NOTE, f"{message}read as it stands", Span(name))
        return None
    said = model.provenance.language or "canonical"
    message = f"made from a {said} model and unchanged: that model is taken"
    hint = "--as-written takes what the file says"
    log.add("A250", Level.NOTE, message, Span(name), hint=hint)
    return model


def _split(data: bytes) -> tuple[bytes, list[bytes]]:
    """What stands before the origin, and the origin's lines; none where there is no origin."""
    start = data.rfind(MARK)
    if start < 0 or END not in data[start:]:
        return data, []
    return data[: data.rfind(b"\n", 0, start) + 1], data[start:].splitlines()


def _with(item: Artifact, model: Model, target: Exporter, making: Making) -> Artifact:
    """The file with its origin below it."""
    source = PurePath(model.provenance.source).name
    text = dumps(replace(model, provenance=replace(model.provenance, source=source)))
    if len(text) > MAX_TEXT:
        return item
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    made = json.dumps({"target": making.target, **making.options}, sort_keys=True)
    lines = [f"{MARK.decode()}{made}"]
    lines += [packed[k : k + WIDTH] for k in range(0, len(packed), WIDTH)]
    lines.append(END.decode())
    begin, each, end = target.comment or ("", "", "")
    body = "\n".join(f"{each}{line}" for line in lines)
    return Artifact(item.path, item.data + f"{begin}{body}{end}\n".encode())


def _read(lines: Sequence[bytes], file: str) -> tuple[Making, Model]:
    """Options and model. Raises ModelError, ValueError and the errors of what packs."""
    made = json.loads(lines[0].removeprefix(MARK).decode())
    if not isinstance(made, dict):
        raise ValueError("no options")
    target = made.pop("target")
    packed = b"".join(_packed(lines[1:]))
    engine = zlib.decompressobj()
    text = engine.decompress(base64.b64decode(packed, validate=True), MAX_TEXT)
    if engine.unconsumed_tail or not engine.eof:
        raise ValueError("too long")
    return Making(target=str(target), options=made), loads(text.decode(), file)


def _packed(lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        words = line.split()
        if not words or words[-1].startswith(END) or END in line:
            return
        yield words[-1]


def _write(model: Model, making: Making) -> tuple[Artifact, ...]:
    """The files that the model gives, without origins."""
    from .convert import convert

    options = {key: making.options[key] for key in ("solver", "dt") if key in making.options}
    return convert(model, to=making.target, origin=False, **options).artifacts


def _count(network: Any) -> int:
    """Numbers in the arrays of a network."""
    if network is None:
        return 0
    parts = [*network.populations, *network.projections, *network.inputs]
    total = 0
    for part in parts:
        for name in type(part).__slots__:
            value: Any = getattr(part, name, None)
            values = list(value.values()) if isinstance(value, Mapping) else [value]
            total += sum(int(v.size) for v in values if hasattr(v, "dtype"))
    return total


__all__ = ["Making", "attach", "recall"]
