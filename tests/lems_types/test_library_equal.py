"""Our library of standard types against the files that NeuroML publishes, type by type."""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from interspike.lems_types import syntax
from interspike.lems_types.expressions import parse_expression
from interspike.lems_types.library_reader import (
    LIBRARY,
    read_types,
    standard_dimensions,
    standard_files,
    standard_type,
    standard_type_names,
    standard_units,
)

MEMBERS = {
    "Parameter", "Property", "DerivedParameter", "Constant", "Requirement", "Exposure", "Child",
    "Children", "Link", "ComponentReference", "InstanceRequirement", "ComponentRequirement",
    "IndexParameter", "Text", "Path", "Fixed", "Attachments", "EventPort",
}  # fmt: skip


@cache
def _published() -> dict[str, ET.Element]:
    """The root of each published core file; skips where pyNeuroML is not installed."""
    found = importlib.util.find_spec("pyneuroml")
    if found is None or not found.origin:
        pytest.skip("pyNeuroML, which carries the published types, is not installed")
    jars = list((Path(found.origin).parent / "lib").glob("jNeuroML-*-jar-with-dependencies.jar"))
    if not jars:
        pytest.skip("this pyNeuroML carries no jar")
    with zipfile.ZipFile(jars[0]) as jar:
        names = [name for name in jar.namelist() if re.match(r"NeuroML2CoreTypes/\w+\.xml$", name)]
        return {name.partition("/")[2]: _plain(ET.fromstring(jar.read(name))) for name in names}


def _plain(root: ET.Element) -> ET.Element:
    """The tree without namespaces, descriptions and comments."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib.pop("description", None)
    return root


@cache
def _published_types() -> dict[str, ET.Element]:
    return {
        element.attrib["name"]: element
        for root in _published().values()
        for element in root.iter("ComponentType")
    }


def _quantity(text: str) -> object:
    match = re.fullmatch(r"\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*([A-Za-z_]\w*)?\s*", text)
    return (float(match[1]), match[2] or "") if match else text


def _value(kind: str, text: str) -> object:
    return parse_expression(text) if kind == "DerivedParameter" else _quantity(text)


def _unordered(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=repr)


# --- the published element, as plain comparable data


def _xml_type(element: ET.Element) -> dict[str, Any]:
    blocks = {child.tag: child for child in element if child.tag not in MEMBERS}
    assert blocks.keys() <= {"Dynamics", "Structure", "Simulation"}
    return {
        "extends": element.get("extends", ""),
        "members": _unordered(_xml_member(child) for child in element if child.tag in MEMBERS),
        "dynamics": _xml_dynamics(blocks["Dynamics"]) if "Dynamics" in blocks else None,
        "structure": [_xml_build(child) for child in blocks.get("Structure", ())],
        "simulation": [_xml_build(child) for child in blocks.get("Simulation", ())],
    }


def _xml_member(element: ET.Element) -> tuple[object, ...]:
    known = {
        "name",
        "parameter",
        "dimension",
        "type",
        "value",
        "defaultValue",
        "direction",
        "local",
    }
    assert element.attrib.keys() <= known, element.attrib
    get = element.attrib.get
    return (
        element.tag,
        get("name") or get("parameter"),
        get("dimension", "none"),
        get("type", ""),
        _value(element.tag, get("value", get("defaultValue", ""))),
        get("direction", ""),
        get("local") == "true",
    )


def _xml_dynamics(element: ET.Element) -> dict[str, Any]:
    parts: dict[str, list[Any]] = {
        key: [] for key in ("states", "derived", "rates", "handlers", "regimes", "schemes")
    }
    for child in element:
        get = child.attrib.get
        if child.tag == "StateVariable":
            parts["states"].append((get("name"), get("dimension"), get("exposure", "")))
        elif child.tag in ("DerivedVariable", "ConditionalDerivedVariable"):
            parts["derived"].append(_xml_derived(child))
        elif child.tag == "TimeDerivative":
            rate = parse_expression(child.attrib["value"])
            parts["rates"].append((get("variable"), rate))
        elif child.tag == "Regime":
            inner = (get("name"), get("initial") == "true", _xml_dynamics(child))
            parts["regimes"].append(inner)
        elif child.tag == "KineticScheme":
            parts["schemes"].append(tuple(sorted(child.items())))
        else:
            parts["handlers"].append(_xml_handler(child))
    return _arranged(parts)


def _arranged(parts: dict[str, list[Any]]) -> dict[str, Any]:
    """Handlers keep their order within each kind; everything else has none."""
    handlers = parts.pop("handlers")
    kinds = ("OnStart", "OnEntry", "OnEvent", "OnCondition")
    assert {handler[0] for handler in handlers} <= set(kinds)
    by_kind = {kind: [handler for handler in handlers if handler[0] == kind] for kind in kinds}
    return {key: _unordered(items) for key, items in parts.items()} | by_kind


def _xml_derived(element: ET.Element) -> tuple[object, ...]:
    get = element.attrib.get
    cases = [
        (parse_expression(case.attrib["condition"]) if "condition" in case.attrib else None,
         parse_expression(case.attrib["value"]))
        for case in element
    ]  # fmt: skip
    value = get("value")
    return (
        get("name"),
        get("dimension", ""),
        get("exposure", ""),
        None if value is None else parse_expression(value),
        get("select", ""),
        get("reduce", ""),
        get("required", "true") == "true",
        cases,
    )


def _xml_handler(element: ET.Element) -> tuple[object, ...]:
    test = element.get("test")
    actions = []
    for child in element:
        target = child.get("variable") or child.get("port") or child.get("regime")
        value = child.get("value")
        actions.append((child.tag, target, None if value is None else parse_expression(value)))
    return (
        element.tag,
        element.get("port", ""),
        None if test is None else parse_expression(test),
        actions,
    )


def _xml_build(element: ET.Element) -> tuple[object, ...]:
    return (element.tag, dict(element.attrib), [_xml_build(child) for child in element])


# --- our type, as the same data


def _our_type(item: syntax.ComponentType) -> dict[str, Any]:
    return {
        "extends": item.extends,
        "members": _unordered(
            (
                member.kind, member.name, member.dimension, member.type,
                _value(member.kind, member.value), member.direction, member.local,
            )
            for member in item.members
        ),
        "dynamics": None if item.dynamics is None else _our_dynamics(item.dynamics),
        "structure": [_our_build(build) for build in item.structure],
        "simulation": [_our_build(build) for build in item.simulation],
    }  # fmt: skip


def _our_dynamics(item: syntax.Dynamics | syntax.Regime) -> dict[str, Any]:
    is_regime = isinstance(item, syntax.Regime)
    parts: dict[str, list[Any]] = {
        "states": [(s.name, s.dimension, s.exposure) for s in item.state_variables],
        "derived": [
            (d.name, d.dimension, d.exposure, d.value, d.select, d.reduce, d.required,
             list(d.cases))
            for d in item.derived_variables
        ],
        "rates": list(item.derivatives),
        "handlers": [
            (h.kind, h.port, h.test, [(a.kind, a.target, a.value) for a in h.actions])
            for h in item.handlers
        ],
        "regimes": [] if is_regime else [
            (r.name, r.initial, _our_dynamics(r)) for r in item.regimes
        ],
        "schemes": [] if is_regime else [_our_scheme(scheme) for scheme in item.schemes],
    }  # fmt: skip
    return _arranged(parts)


def _our_scheme(item: syntax.KineticScheme) -> tuple[tuple[str, str], ...]:
    pairs = {
        "name": item.name, "nodes": item.nodes, "edges": item.edges,
        "stateVariable": item.state_variable, "edgeSource": item.edge_source,
        "edgeTarget": item.edge_target, "forwardRate": item.forward_rate,
        "reverseRate": item.reverse_rate,
    }  # fmt: skip
    return tuple(sorted(pairs.items()))


def _our_build(item: syntax.Build) -> tuple[object, ...]:
    return (item.tag, dict(item.attributes), [_our_build(child) for child in item.children])


# --- the comparison


def test_every_published_type_is_in_the_library_and_no_other() -> None:
    assert sorted(standard_type_names()) == sorted(_published_types())
    assert len(standard_type_names()) == 272


# one state is a derived variable as well, and two rates are bare numbers: no model could use the type
MENDED = {"pinskyRinzelCA3Cell": ("states", "rates")}


@pytest.mark.parametrize("name", standard_type_names())
def test_type_is_equal_to_the_published_one(name: str) -> None:
    published = _published_types()
    ours = standard_type(name)
    assert ours is not None
    assert ours.is_standard
    assert ours.name == name
    found, expected = _our_type(ours), _xml_type(published[name])
    for key in MENDED.get(name, ()):
        for side in (found, expected):
            side["dynamics"] = {k: v for k, v in side["dynamics"].items() if k != key}
    assert found == expected


def test_the_comparison_sees_a_changed_number_order_or_dimension() -> None:
    _published()
    text = (LIBRARY / "cells.types").read_text(encoding="utf-8")
    for name, old, new in (
        ("izhikevichCell", "0.04 * v^2", "0.05 * v^2"),
        ("iafCell", "v = reset; emit spike", "emit spike; v = reset"),
        ("izhikevich2007Cell", "parameter b: conductance", "parameter b: current"),
        ("iafTauRefCell", "regime integrating initial", "regime integrating"),
    ):
        assert old in text
        changed = {item.name: item for item in read_types(text.replace(old, new))}
        assert _our_type(changed[name]) != _xml_type(_published_types()[name])


def test_dimensions_are_equal_to_the_published_ones() -> None:
    published = {
        element.attrib["name"]: tuple(float(element.get(base, "0")) for base in "mltiknj")
        for root in _published().values()
        for element in root.iter("Dimension")
    }
    assert {name: item.exponents for name, item in standard_dimensions().items()} == published
    assert len(published) == 24


def test_units_are_equal_to_the_published_ones() -> None:
    units = standard_units()
    published = [item for root in _published().values() for item in root.iter("Unit")]
    assert sorted(units) == sorted(item.attrib["symbol"] for item in published)
    assert len(published) == 74
    for item in published:
        unit = units[item.attrib["symbol"]]
        scale = float(item.get("scale", "1")) * float(f"1e{item.get('power', '0')}")
        assert unit.symbol == item.attrib["symbol"]
        assert unit.dimension == standard_dimensions()[item.attrib["dimension"]]
        assert unit.scale == pytest.approx(scale, rel=1e-15)
        assert unit.offset == float(item.get("offset", "0")) * scale


def test_core_files_provide_what_the_published_ones_include() -> None:
    roots = _published()

    def provided(name: str) -> set[str]:
        own = {item.attrib["name"] for item in roots[name].iter("ComponentType")}
        return own.union(*(provided(item.attrib["file"]) for item in roots[name].iter("Include")))

    assert {name: set(types) for name, types in standard_files().items()} == {
        name: provided(name) for name in roots
    }
    assert all(len(types) == len(set(types)) for types in standard_files().values())
