"""Losses are matched with the things of the model; nothing is lost from the account."""

from __future__ import annotations

import json

import numpy as np
from interspike.app import report
from interspike.canonical_model.diagnostics import Issue, Level, Span
from interspike.canonical_model.model import Component, Model, Provenance
from interspike.canonical_model.network import (
    EventRecording,
    Experiment,
    Input,
    Network,
    Population,
    Projection,
    Recording,
)

NONE = np.zeros(0, dtype=np.int64)
MODEL = Model(
    name="net",
    components=(Component(name="cell", span=Span("in/m.xml", 3, 5)), Component(name="syn")),
    network=Network(
        name="net",
        populations=(Population(name="pop", component="cell", size=1, span=Span("in/m.xml", 7)),),
        projections=(Projection(name="pop", source="pop", target="pop", pre=NONE, post=NONE),),
        inputs=(Input(name="drive", component="cell", population="pop", index=NONE),),
        experiment=Experiment(
            recordings=(Recording(path="pop[0]/v"),), events=(EventRecording(path="pop[0]"),)
        ),
    ),
    provenance=Provenance(language="LEMS", version="0.7.6", sha256="ab"),
)


def loss(message: str, span: Span | None = None, level: Level = Level.APPROXIMATED) -> Issue:
    return Issue("N100", level, message, span)


def build(*issues: Issue) -> report.Report:
    return report.build(MODEL, issues, source="in/m.xml", target="t", options={"solver": "auto"})


def statuses(account: report.Report) -> dict[tuple[str, str], str]:
    return {(entry.kind, entry.name): entry.status for entry in account.entries}


def test_everything_is_listed_as_exact() -> None:
    account = build()
    assert set(statuses(account)) == {
        ("component", "cell"), ("component", "syn"), ("population", "pop"), ("projection", "pop"),
        ("input", "drive"), ("experiment", "sim"), ("recording", "pop[0]/v"),
        ("recording", "pop[0]/spike"),
    }  # fmt: skip
    assert account.exact
    assert account.summary() == "8 exact"


def test_a_loss_finds_its_thing_by_place() -> None:
    account = build(loss("rounded", Span("in/m.xml", 7, 9)))
    assert statuses(account)["population", "pop"] == "approximated"
    assert account.count("exact") == 7


def test_a_loss_finds_its_thing_by_name() -> None:
    account = build(
        loss("the projection 'pop' is thinned"), loss("'syn' is gone", None, Level.DROPPED)
    )
    assert statuses(account)["projection", "pop"] == "approximated"
    assert statuses(account)["population", "pop"] == "exact"
    assert statuses(account)["component", "syn"] == "dropped"


def test_a_loss_of_nothing_in_particular_is_kept() -> None:
    account = build(loss("something is different"))
    assert statuses(account)["model", "net"] == "approximated"
    assert not account.exact


def test_two_losses_of_one_thing_are_two_entries() -> None:
    account = build(loss("'cell' is rounded"), loss("'cell' is cut"))
    assert [entry.sentence for entry in account.losses] == ["'cell' is rounded", "'cell' is cut"]


def test_notes_and_warnings_are_no_losses() -> None:
    account = build(loss("x", None, Level.NOTE), loss("y", None, Level.WARNING))
    assert account.exact
    assert [issue.message for issue in account.remarks] == ["x", "y"]


def test_refusals_decide_the_outcome() -> None:
    assert build(loss("x", None, Level.REFUSED)).outcome == "refused"
    assert build(loss("x", None, Level.DROPPED)).outcome == "converted"


def test_json_names_no_folder_of_this_machine() -> None:
    account = report.build(
        MODEL,
        [loss("x", Span("/home/me/in/m.xml", 7)), loss("y", Span("/home/me/in/sub/n.xml", 2))],
        source="/home/me/in/m.xml",
        target="t",
        options={},
    )
    text = account.to_bytes().decode()
    assert "/home/me" not in text
    data = json.loads(text)
    assert data["source"] == "m.xml"
    assert data["language"] == "LEMS 0.7.6"
    assert [e["span"]["file"] for e in data["entries"] if e["kind"] == "model"] == [
        "m.xml",
        "sub/n.xml",
    ]


def test_html_escapes_the_model() -> None:
    account = build(loss("<script>alert(1)</script>"))
    assert "<script>" not in account._repr_html_()
