"""Names and text of a model in C++ and in NEST's status dictionary. No model text passes unchecked."""

from __future__ import annotations

import re

# keys of every node's status dictionary: a quantity of the same name gets an underscore
STATUS_KEYS = frozenset({
    "Ca", "archiver_length", "available", "beta_Ca", "capacity", "element_type", "elementsize",
    "frozen", "global_id", "ignore_and_spike", "ignore_and_spike_interval",
    "ignore_and_spike_offset", "instantiations", "local", "model", "model_id", "node_uses_wfr",
    "port", "post_trace", "receptor_types", "recordables", "supports_precise_spikes",
    "synaptic_elements", "synaptic_elements_param", "t_spike", "tau_Ca", "tau_minus",
    "tau_minus_triplet", "thread", "thread_local_id", "type_id", "vp",
})  # fmt: skip
RESERVED = frozenset({
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
    "case", "catch", "char", "class", "compl", "concept", "const", "consteval", "constexpr",
    "constinit", "continue", "decltype", "default", "delete", "do", "double", "else", "enum",
    "explicit", "export", "extern", "false", "final", "float", "for", "friend", "goto", "if",
    "inline", "int", "interspike", "linux", "long", "main", "mutable", "namespace", "nest", "new",
    "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "override", "private",
    "protected", "public", "register", "requires", "return", "short", "signed", "sizeof", "static",
    "std", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "typeid",
    "typename", "union", "unix", "unsigned", "using", "virtual", "void", "volatile", "while",
    "xor", "xor_eq",
})  # fmt: skip


def identifier(name: str) -> str:
    """ASCII letters, digits and single underscores, starting with a letter.

    >>> identifier("V_m"), identifier("Na-all"), identifier("2x")
    ('V_m', 'Na_all', 'x2x')
    """
    clean = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return clean if clean[:1].isalpha() else f"x{clean}"


def class_name(name: str) -> str:
    """A C++ class, file and NEST model name.

    >>> class_name("class"), class_name("my cell")
    ('class_', 'my_cell')
    """
    clean = re.sub(r"__+", "_", identifier(name)).rstrip("_") or "model"
    return f"{clean}_" if clean in RESERVED else clean


def model_name(name: str) -> str:
    """What NEST calls a model: as its author does, as far as C++ and NEST allow.

    >>> model_name("cell__with_synapse"), model_name("my cell"), model_name("class")
    ('cell__with_synapse', 'my_cell', 'class_')
    """
    clean = identifier(name).rstrip("_") or "model"
    return f"{clean}_" if clean in RESERVED else clean


def status_key(name: str) -> str:
    """The key under which users find a quantity.

    >>> status_key("V_m"), status_key("tau_minus"), status_key("g$")
    ('V_m', 'tau_minus_', 'g__DOLLAR')
    """
    clean = identifier(name.replace("$", "__DOLLAR"))
    return f"{clean}_" if clean in STATUS_KEYS else clean


def unique(names: list[str], prefix: str, taken: set[str] | None = None) -> dict[str, str]:
    """Distinct C++ identifiers `prefix` + name for all `names`."""
    used = set() if taken is None else taken
    table: dict[str, str] = {}
    for name in dict.fromkeys(names):
        # two underscores in a row are reserved in C++
        wanted = re.sub(r"__+", "_", f"{prefix}{identifier(name)}")
        chosen, number = wanted, 2
        while chosen in used:
            chosen, number = f"{wanted}{number}", number + 1
        used.add(chosen)
        table[name] = chosen
    return table


def comment(text: str, width: int = 300) -> str:
    """Model text for the inside of a comment: one line, nothing that could end or continue it."""
    clean = "".join(c if c.isprintable() and c not in '\\*?"' else " " for c in text)
    return clean.replace("/", " per ").strip()[:width].rstrip()


def string(text: str, width: int = 400) -> str:
    """Model text as a C++ string literal.

    >>> string('a "b"')
    '"a \\\\"b\\\\""'
    """
    shown = "".join(c if " " <= c <= "~" else " " for c in text)[:width]
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return f'"{escaped}"'
