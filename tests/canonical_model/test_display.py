"""What people see: everything is there, everything from a model is escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interspike.canonical_model import model as m
from interspike.canonical_model import units as u
from interspike.canonical_model.display import (
    MAX_ROWS,
    describe_component,
    describe_model,
    describe_network,
)
from interspike.canonical_model.expr_text import COMMON_UNITS, parse_expr
from interspike.canonical_model.network import Experiment, Network, Population, Projection
from interspike.canonical_model.units import Quantity

CELL = m.Component(
    name="iaf",
    type="iafCell",
    bases=("baseCell",),
    parameters=(
        m.Parameter(name="C", dimension=u.CAPACITANCE, value=Quantity(1.0, COMMON_UNITS["nF"])),
        m.Parameter(name="gain"),
    ),
    state_variables=(m.StateVariable(name="v", dimension=u.VOLTAGE),),
    odes=(m.Ode(variable="v", rhs=parse_expr("(iSyn + iMemb) / C")),),
    on_conditions=(
        m.OnCondition(
            test=parse_expr("v >= threshold"),
            body=(m.Assign(target="v", value=parse_expr("reset")), m.Emit(port="spike")),
        ),
    ),
    event_outputs=(m.EventPort(name="spike"),),
    machines=(m.RegimeMachine(regimes=(m.Regime(name="free"),)),),
)
NETWORK = Network(
    name="net",
    populations=(Population(name="pop", component="iaf", size=4),),
    projections=(
        Projection(
            name="proj", source="pop", target="pop", synapse="exp", pre=np.arange(4),
            post=np.arange(4), weight=np.array([1.0, 2.0, 2.0, 1.0]), delay=np.full(4, 2e-3),
        ),
    ),
    experiment=Experiment(length=0.5, step=1e-4),
)  # fmt: skip
NASTY = "<script>alert(1)</script>\x1b[31m\n$\\href{x}{y}$"


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def well_formed(html: str) -> set[str]:
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return checker.seen


def test_text_says_what_there_is():
    text = describe_component(CELL)
    for line in (
        "component iaf (iafCell, a baseCell)",
        "C     1 nF           capacitance",
        "gain  must be given",
        "dv/dt = (iSyn + iMemb)/C",
        "when v ≥ threshold  v := reset; send spike",
        "regime free (initial)",
        "nothing happens",
    ):
        assert line in text


def test_text_of_a_network():
    text = describe_network(NETWORK)
    assert re.search(r"pop +4 cells +iaf", text)
    assert "4 connections, weight 1 to 2, delay 2 ms" in text
    assert "0.5 s" in text
    assert "network net" in describe_model(m.Model(name="m", network=NETWORK))


def test_notebooks_show_mathematics():
    html = CELL._repr_html_()
    assert r"\frac{dv}{dt}" in html
    assert r"\frac{\mathrm{iSyn} + \mathrm{iMemb}}{C}" in html
    model = m.Model(name="m", components=(CELL,), network=NETWORK)
    for shown in (html, NETWORK._repr_html_(), model._repr_html_()):
        assert well_formed(shown) <= {
            "div", "strong", "details", "summary", "table", "tr", "td", "span"
        }  # fmt: skip


def test_nothing_from_a_model_gets_through():
    nasty = replace(
        CELL, name=NASTY, type=NASTY, description=NASTY,
        odes=(m.Ode(variable=NASTY, rhs=parse_expr("`<b>` + x")),),
        machines=(m.RegimeMachine(name=NASTY, regimes=(m.Regime(name=NASTY),)),),
    )  # fmt: skip
    html = nasty._repr_html_()
    assert "script" not in well_formed(html)
    assert "<b>" not in html
    text = describe_component(nasty)
    assert "\x1b" not in text
    # mathematics is typeset only in our own spans, and there the text cannot form a command
    for latex in re.findall(r"\\\((.*?)\\\)</span>", html):
        assert r"\href" not in latex


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_model_can_be_shown(models, data):
    model = data.draw(models)
    well_formed(model._repr_html_())
    assert "\x1b" not in describe_model(model)


def test_long_tables_are_cut():
    many = tuple(m.Parameter(name=f"p{k}") for k in range(MAX_ROWS + 5))
    assert "... and 5 more" in describe_component(m.Component(name="c", parameters=many))
