"""Names that NESTML accepts, made from any; the author's own wherever they can stay."""

from __future__ import annotations

import re
from collections.abc import Iterable


def split_words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


RESERVED = split_words(
    "integer real string boolean void function inline return if elif else for while in step inf "
    "and or not recordable kernel model state parameters internals update equations input "
    "output continuous onReceive onCondition spike inhibitory excitatory true True false False"
)
FUNCTIONS = split_words(
    "min max abs clip exp ln log10 expm1 sin cos tan sinh cosh tanh erf erfc ceil floor round "
    "pow random_normal random_uniform random_poisson delta convolve integrate_odes emit_spike "
    "steps resolution timestep print println info warning"
)
CONSTANTS = frozenset({"t", "e", "pi"})
# methods of every model in NEST's target
COLLISIONS = split_words(
    "update calibrate handle connect_sender check_connection get_status set_status init_state_ "
    "init_buffers_"
)
MAX_LENGTH = 120
USUAL_PORT = "in"  # what LEMS calls the event input of nearly everything


def identifier(name: str) -> str:
    """A NESTML name as near to `name` as possible, reserved words not yet considered.

    >>> identifier("spikes-in"), identifier("3d")
    ('spikes_in', '_3d')
    """
    text = re.sub(r"[^A-Za-z0-9_$]", "_", name)[:MAX_LENGTH] or "_"
    return f"_{text}" if text[0].isdigit() else text


class Names:
    """Distinct NESTML names for the names of one model; `units` are the unit names it prints."""

    __slots__ = ("_table", "_taken")

    def __init__(self, units: Iterable[str] = ()) -> None:
        self._table: dict[str, str] = {}
        self._taken = set(RESERVED | FUNCTIONS | CONSTANTS | COLLISIONS) | set(units)

    def add(self, name: str) -> str:
        """The NESTML name of `name`, chosen now if it is new."""
        known = self._table.get(name)
        if known is not None:
            return known
        wanted = "spikes" if name == USUAL_PORT else identifier(name)
        chosen = self.fresh(wanted)
        self._table[name] = chosen
        return chosen

    def fresh(self, wanted: str) -> str:
        """A name that nothing else has."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted

    def __getitem__(self, name: str) -> str:
        return self._table.get(name) or self.add(name)

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def changed(self, name: str) -> bool:
        """True if the name could not stay as it was."""
        return self._table.get(name, name) != name
