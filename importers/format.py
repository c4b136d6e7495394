"""What an importer tells about itself: the one constant `FORMAT` of each format folder.

Standard library only: `interspike formats` and the choice of an importer read these without loading
the importer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..canonical_model.abilities import Ability


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """How a language is recognised and read.

    `read` is the dotted path (`package.module:function`) of
    `read(path, data, *, file, search_path, component, log) -> Model`: exactly one of `path` (a file)
    and `data` (the bytes of a stream) is given, `file` is the name to show in messages.
    `sniff` says from the first 4096 bytes whether a file is of this language. `needs` maps modules
    that the importer cannot do without to what a person installs to get them. `options` maps what a
    user may decide to a sentence about it; where there are any, `read` takes them as `options=`, texts by
    name. `sample` is a small model of the language: a process that reads many models reads it first, so that
    tables and grammars are made once.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    read: str
    sniff: Callable[[bytes], bool]
    abilities: Mapping[str, Ability] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    sample: bytes = b""
