"""Whatever the bytes are: a model or located issues, in bounded time, never a traceback.

INTERSPIKE_FUZZ=n asks for n times as many examples.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interspike.canonical_model.diagnostics import Log, ModelError
from interspike.canonical_model.verify import verify_model
from interspike.exporters.nestml.emit import export
from interspike.importers.nestml.reader import read

MORE = int(os.environ.get("INTERSPIKE_FUZZ", "1"))
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "nestml"
SOURCES = [
    data for path in sorted(FIXTURES.glob("*.nestml")) if len(data := path.read_bytes()) < 4_000
]
NAMES = (
    "V",
    "w",
    "r",
    "n",
    "ok",
    "tau",
    "K",
    "spikes",
    "I_in",
    "ms",
    "mV",
    "t",
    "e",
    "zz",
    "v",
    "f",
)
common = settings(
    max_examples=60 * MORE, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def digest(data: bytes) -> None:
    """Read, and see that errors are located and that a sound model is sound."""
    start = time.process_time()
    log = Log()
    try:
        model = read(None, data, file="f", log=log)
    except ModelError as problem:
        assert problem.issues
        assert all(issue.span is not None and issue.code[0] == "N" for issue in problem.issues)
    else:
        verify_model(model)
    assert time.process_time() - start < 5.0


@common
@given(st.data())
def test_mutated_models(data: st.DataObject) -> None:
    source = bytearray(data.draw(st.sampled_from(SOURCES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(source) - 1))
        kind = data.draw(st.sampled_from(("flip", "cut", "copy", "insert", "line")))
        if kind == "flip":
            source[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del source[at : at + data.draw(st.integers(1, 40))]
        elif kind == "copy":
            source[at:at] = source[at : at + 60]
        elif kind == "insert":
            pool = (
                b"(",
                b")",
                b"[[",
                b"]]",
                b"'",
                b"\n",
                b"\t",
                b"end\n",
                b'"""',
                b"/*",
                b"\\\n",
                b"1e9",
                b"**",
            )
            source[at:at] = data.draw(st.sampled_from(pool))
        else:
            lines = bytes(source).split(b"\n")
            i, j = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            lines[i], lines[j] = lines[j], lines[i]
            source = bytearray(b"\n".join(lines))
        if not source:
            source = bytearray(b"x")
    digest(bytes(source))


def expressions() -> st.SearchStrategy[str]:
    """Expressions by the grammar, sound or not."""
    leaf = st.one_of(
        st.sampled_from(NAMES),
        st.sampled_from(
            ("1", "2.5", ".5", "1e3", "3 mV", "2 1/ms", "1 (mV/ms)", "2 ms**-1", "true", "inf")
        ),
        st.sampled_from(
            ("v[0]", "v[n]", "V'", "steps(tau)", "resolution()", "uniform()", "random_normal(0, 1)")
        ),
    )

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        op = st.sampled_from(
            ("+", "-", "*", "/", "//", "%", "**", "<", "==", "and", "or", "&", "<<", "!=")
        )
        return st.one_of(
            st.tuples(inner, op, inner).map(" ".join),
            inner.map(lambda text: f"({text})"),
            st.tuples(st.sampled_from(("-", "not ", "~", "+")), inner).map("".join),
            st.tuples(inner, inner, inner).map(lambda t: f"{t[0]} ? {t[1]} : {t[2]}"),
            st.tuples(
                st.sampled_from(
                    ("exp", "min", "clip", "convolve", "pow", "f", "V", "delta", "round")
                ),
                st.lists(inner, max_size=3),
            ).map(lambda t: f"{t[0]}({', '.join(t[1])})"),
        )

    return st.recursive(leaf, more, max_leaves=12)


@common
@given(
    expr=expressions(),
    place=st.sampled_from(("update", "equations", "parameters", "state", "blocks")),
)
def test_generated_expressions(nestml: Any, expr: str, place: str) -> None:
    forms = {
        "update": f"r = {expr}\n        if {expr}:\n            v[n] += {expr}\n        q real = {expr}",
        "equations": f"inline q real = {expr}\n        w' = {expr}\n        kernel D = {expr}",
        "parameters": f"q real = {expr} [[{expr}]]",
        "state": f"q mV = {expr}",
        "blocks": f"onCondition({expr}):\n        emit_spike({expr})\n"
        f"    function f(a real, b mV) real:\n        return {expr}",
    }
    parts = {place: forms[place]}
    parts["state"] = parts.get("state", "") + "\n        v[3] real = 0"
    digest(nestml.frame(**parts).encode())


@common
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    digest(data)


@pytest.mark.parametrize("name", ["adaptive_lif_neuron", "end_style_neuron"])
def test_every_prefix_of_a_model(name: str) -> None:
    source = (FIXTURES / f"{name}.nestml").read_bytes()
    for end in range(0, len(source), 7):
        digest(source[:end])


QUANTITY = st.sampled_from(("V", "w", "r", "n", "v[1]", "1.5", "2 mV", "tau", "spikes", "t"))


def flat(parts: list[list[str]]) -> list[str]:
    return [line for part in parts for line in part]


def lines(depth: int) -> st.SearchStrategy[list[str]]:
    """Statements of a program, sound or not, as indented lines."""
    value = st.one_of(QUANTITY, expressions())
    simple = st.one_of(
        st.tuples(st.sampled_from(("V", "w", "r", "n", "ok", "v[0]", "K")),
                  st.sampled_from(("=", "+=", "-=", "*=", "/=", "//=")), value).map(" ".join),
        st.tuples(st.sampled_from(("a", "b", "V")), st.sampled_from(("real", "mV", "integer", "boolean")),
                  st.just("="), value).map(" ".join),
        st.sampled_from(("integrate_odes()", "integrate_odes(V)", "emit_spike()", "emit_spike(r)",
                         "kick()", "kick(1 mV)", "kick(V, 2)", "nudge(r)", 'println("{V}")', "return",
                         "n -= 1", "v = v")),
    )  # fmt: skip
    one = simple.map(lambda text: [text])
    if not depth:
        return st.lists(one, min_size=1, max_size=3).map(flat)
    inner = lines(depth - 1).map(lambda body: [f"    {line}" for line in body])
    tests = st.one_of(st.sampled_from(("n == 0", "n > 0", "V > 1 mV", "ok")), value)
    branch = st.tuples(tests, inner).map(lambda t: [f"if {t[0]}:", *t[1]])
    block = st.one_of(
        branch,
        st.tuples(branch, inner).map(lambda t: [*t[0], "else:", *t[1]]),
        st.tuples(branch, tests, inner).map(lambda t: [*t[0], f"elif {t[1]}:", *t[2]]),
        st.tuples(tests, inner).map(lambda t: [f"while {t[0]}:", *t[1]]),
        st.tuples(st.sampled_from(("n", "i", "k")), inner).map(
            lambda t: [f"{t[0]} integer = 0", f"for {t[0]} in 0 ... 3 step 1:", *t[1]]
        ),
    )
    every = st.one_of(one, block)
    return st.lists(every, min_size=1, max_size=3).map(flat)


def joined(found: list[str]) -> str:
    """Lines at the depth of a block's body."""
    return "\n        ".join(found)


@common
@given(
    update=lines(2),
    handler=lines(1),
    kick=lines(1),
    kernel=st.sampled_from(
        ("kernel G' = -G / tau, H' = -H / tau", "kernel G'' = -G / tau**2", "kernel G = t * exp(-t / tau)",
         "kernel G = delta(t)", "kernel G' = -G * G / tau", "kernel G = exp(-t / tau)")
    ),
    used=st.sampled_from(("convolve(G, spikes)", "convolve(H, spikes)", "convolve(spikes, G)", "r")),
    priority=st.sampled_from(("", ", priority=1")),
)  # fmt: skip
def test_generated_models_come_back_as_they_are(
    nestml: Any, update: list[str], handler: list[str], kick: list[str], kernel: str, used: str,
    priority: str,
) -> None:  # fmt: skip
    blocks = (
        f"onReceive(spikes{priority}):\n        {joined(handler)}\n"
        f"    function kick(a mV, b integer):\n        {joined(kick)}\n"
        "    function nudge(x real):\n        r = x"
    )
    state = "v[2] real = 0\n        G real = 1\n        G' 1/ms = 0 1/ms\n        H real = 1"
    text = nestml.frame(
        state=state,
        update=joined(update),
        blocks=blocks,
        equations=f"{kernel}\n        w' = {used} * w / tau",
    )
    digest(text.encode())
    log = Log()
    try:
        model = read(None, text.encode(), file="f", log=log)
    except ModelError:
        return
    try:
        files = export(
            model, scheme="auto", step=1e-4, source=model.provenance, log=Log(), name="m"
        )
    except ModelError:
        return
    back = read(None, files[0].data, file="back", log=Log())
    assert back.components[0] == model.components[0], files[0].data.decode()
