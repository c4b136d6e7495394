"""The canonical text form: what the importer reads."""

from __future__ import annotations

import re

from ...canonical_model.abilities import FEATURES, full
from ..format import Importer

_HEAD = re.compile(rb'\s*\{\s*"interspike"\s*:\s*\d')


def sniff(head: bytes) -> bool:
    """True for the head of a canonical text file (reports name a program version there, a text).

    >>> sniff(b'{"interspike": 1,')
    True
    """
    return bool(_HEAD.match(head))


FORMAT = Importer(
    name="canonical",
    title="Interspike's own text form",
    endings=(".json",),
    read="interspike.importers.canonical.reader:read",
    sniff=sniff,
    abilities={feature: full() for feature in FEATURES},
)
