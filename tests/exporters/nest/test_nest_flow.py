"""What the adaptive solver integrates, follows, and leaves out; how its rates are arranged."""

from __future__ import annotations

from pathlib import Path

import pytest
from interspike.app.convert import convert
from interspike.canonical_model.diagnostics import ModelError

NEURONS = Path(__file__).resolve().parents[3] / "fixtures" / "nest" / "neurons.nestml"


@pytest.fixture(scope="module")
def headers() -> dict[str, str]:
    result = convert(NEURONS, to="nest")
    found = [item for item in result.artifacts if item.path.startswith("models/")]
    return {Path(item.path).stem: item.data.decode() for item in found}


def test_only_what_has_no_solution_is_integrated(headers: dict[str, str]) -> None:
    text = headers["adapting_cond_neuron"]
    # V_m in the solver; an alpha function of two states and a decay are followed; theta is neither
    assert "interspike::rkf45< 1, 3, Shared_adapting_cond_neuron::Flow >" in text
    assert "std::array< double, 1 > y = { s.s_V_m };" in text
    assert "tabulate(" in text and "std::array< Flows, 4 > flows;" in text
    # the timer alone needs no step size of its own
    assert text.count("double trial_") == 1


def test_models_that_are_exact_have_no_solver(headers: dict[str, str]) -> None:
    for name in ("leaky_exp_neuron", "leaky_alpha_neuron"):
        assert "rkf45" not in headers[name] and "flows" not in headers[name]


def test_exponentials_of_commensurate_slopes_are_one(headers: dict[str, str]) -> None:
    text = headers["gated_neuron"]
    body = text[text.index("interspike::rkf45< 4 >") : text.index("} );")]
    # slopes 1/10 (three), 1/80 and 1/20 (a power of it), 1/18
    assert body.count("std::exp(") == 3
    assert (
        "interspike::power<4>( e_exponential" in body
        or "interspike::power<4>(e_exponential" in body
    )


def test_divisions_by_what_stays_the_same_become_products(headers: dict[str, str]) -> None:
    text = headers["adapting_cond_neuron"]
    assert "const double r_held = (1.0 / q.given.p_" in text


def test_the_library_integrates_what_the_rates_read() -> None:
    text = convert(NEURONS, to="nest", solver="gsl").text("models/adapting_cond_neuron.h")
    assert '#include "interspike_gsl.h"' in text and "interspike::gsl_rkf45< 4 >" in text
    assert "flows" not in text


def test_the_library_is_for_nest_only() -> None:
    with pytest.raises(ModelError) as caught:
        convert(NEURONS, to="spinnaker2", solver="gsl")
    assert caught.value.issues[0].code == "A012"
