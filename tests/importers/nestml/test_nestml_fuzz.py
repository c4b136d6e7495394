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
from interspike.importers.nestml.reader import read

MORE = int(os.environ.get("INTERSPIKE_FUZZ", "1"))
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "nestml"
SOURCES = [path.read_bytes() for path in sorted(FIXTURES.glob("*.nestml"))]
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
