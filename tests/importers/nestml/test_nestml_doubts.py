"""What NESTML 9 does not catch, and where it computes other than it documents: each touches a model here and
is remarked on by its own code. The table follows the last section and the marked places of the facts."""

from __future__ import annotations

from typing import Any

import pytest

PORTS = "model m:\n    state:\n        V mV = 0 mV\n    input:\n{}\n    onReceive(a):\n        V += 1 mV\n"
PRIORITIES = (
    "model m{}:\n    state:\n        x real = 0\n    input:\n        a <- spike\n        post <- spike\n"
    "    onReceive(a, priority={}):\n        x = 1\n    onReceive(post, priority={}):\n        x = 2\n"
)
LINEAR = (
    "model m:\n    state:\n        V mV = 0 mV\n    parameters:\n        tau_m ms = 10 ms\n"
    "        tau_s ms = {} ms\n    equations:\n        kernel k = {}\n"
    "        V' = -V / tau_m + convolve(k, a) * 1 mV / 1 ms\n    input:\n        a <- spike\n"
    "    update:\n        integrate_odes()\n"
)
TIMER = (
    "model m:\n    state:\n        r ms = 0 ms\n    parameters:\n        t_ref ms = {} ms\n"
    "    equations:\n        r' = -1\n    update:\n        if r > 0 ms:\n            integrate_odes(r)\n"
    "        else:\n            r = t_ref\n"
)

# (what NESTML 9 lets pass in silence, the model, our code, is it an error)
NOT_CAUGHT = [
    ("a handler of an unknown port", {"blocks": "onReceive(spiks):\n        r = 1"}, "N049", True),
    ("a handler of a continuous port", {"blocks": "onReceive(I_in):\n        r = 1"}, "N049", True),
    (
        "two handlers of one port",
        {"blocks": "onReceive(spikes):\n        r = 1\n    onReceive(spikes):\n        r = 2"},
        "N044", True,
    ),
    ("a loop over a state", {"update": "for n in 0 ... 3 step 1:\n            r = n"}, "N065", False),
    ("a convolution in a statement", {"update": "r = convolve(K, spikes)"}, "N037", True),
    ("a quantity beside a bare number", {"update": "ok = V > 3"}, "N051", False),
    ("equal time constants", LINEAR.format(10, "exp(-t / tau_s)"), "N073", False),
    ("nearly equal time constants", LINEAR.format(10.001, "exp(-t / tau_s)"), "N073", False),
    ("priorities compared as texts", PRIORITIES.format("", 9, 10), "N063", False),
    ("a variable called as a unit", {"state": "mV real = 1"}, "N041", False),
    ("a unit for which a variable is taken", {"state": "h real = 1", "update": "r = 1 h / 1 s"}, "N041", False),
    ("a forward reference", {"parameters": "a1 real = b1\n        b1 real = 1"}, "N066", False),
    (
        "a counter below zero",
        {"update": "if n == 0 and V > 1 mV:\n            n = 5\n        else:\n            n -= 1"},
        "N076", False,
    ),
    ("an equation that is never integrated", {"equations": "w' = -w / tau"}, "N064", False),
]  # fmt: skip

# (where NESTML 9 computes otherwise, the model, our code)
OTHERWISE = [
    ("`not a == b`", {"update": "ok = not n == 1"}, "N024"),
    ("`a or b and c`", {"update": "ok = ok or ok and ok"}, "N024"),
    ("bit operators in a row", {"update": "n = 1 & 2 | 3"}, "N024"),
    ("a choice in a choice", {"update": "r = ok ? 1 : ok ? 2 : 3"}, "N024"),
    ("integers divided", {"update": "r = n / m"}, "N061"),
    ("`//`", {"update": "r = 5 // 2"}, "N062"),
    ("`for` without step", {"update": "k integer = 0\n        for k in 0 ... 3:\n            r = k"}, "N026"),
    ("`V + 1 mV * x`", {"update": "V = V + 1 mV * r"}, "N077"),
    ("`-1 ms / tau`", {"update": "r = -1 ms / tau"}, "N077"),
    ("`exp(-1 ms / tau)`", {"update": "r = exp(-1 ms / tau)"}, "N077"),
    ("`V > 1 mV * x`", {"update": "ok = V > 1 mV * r"}, "N077"),
    ("`inline q mV = 1 mV * x`", {"equations": "inline q mV = 1 mV * r"}, "N077"),
    (
        "`return 1 mV * a`",
        {"blocks": "function f(a real) mV:\n        return 1 mV * a", "update": "V = f(r)"},
        "N077",
    ),
    ("Hz", {"update": "r = 10 Hz * 1 s"}, "N067"),
    ("a factor in an equation", {"equations": "inline q mV = 1 V + V"}, "N067"),
    ("two prefixes meet", {"update": "V = 1 V"}, "N060"),
    ("two prefixes in a sum", {"update": "V = 3 mV + 1 V"}, "N060"),
    ("a lone inhibitory port", PORTS.format("        a <- inhibitory spike"), "N074"),
    ("a lone excitatory port", PORTS.format("        a <- excitatory spike"), "N074"),
    ("priorities of a synapse", PRIORITIES.format("_synapse", 1, 2), "N063"),
    ("a timer whose rounding counts", TIMER.format(0.7), "N075"),
    ("an internal that reads a state", {"internals": "a1 real = r"}, "N059"),
    ("a delay before it has passed", {"update": "r = V(t - tau) / 1 mV"}, "N043"),
    ("a real in an integer", {"update": "n = 2.5"}, "N057"),
]  # fmt: skip


def found(nestml: Any, model: Any) -> list[str]:
    return nestml.remarks(model) if isinstance(model, str) else nestml.remarks(**model)


@pytest.mark.parametrize(("what", "model", "code", "is_error"), NOT_CAUGHT)
def test_what_nestml_9_lets_pass(
    nestml: Any, what: str, model: Any, code: str, is_error: bool
) -> None:
    if is_error:
        assert nestml.failures(**model)[0].code == code, what
    else:
        assert code in found(nestml, model), what


@pytest.mark.parametrize(("what", "model", "code"), OTHERWISE)
def test_what_nestml_9_does_otherwise_is_noted(
    nestml: Any, what: str, model: Any, code: str
) -> None:
    assert code in found(nestml, model), what


@pytest.mark.parametrize(
    "model",
    [
        {"update": "n //= 2"},
        {"update": "r = 1 / tau * 1 ms"},
        {"update": "V = 1 mV * r"},
        {"update": "V = max(1 mV * r, V)"},
        {"update": "V = V + (1 mV) * r"},
        {"update": "if n > 0:\n            n -= 1\n        if n == 0:\n            r = 1"},
        {"update": "if n == 0:\n            r = 1\n        else:\n            n -= 1"},
        {"update": "n = max(n - 1, 0)\n        if n == 0:\n            r = 1"},
        {"update": "n -= 1\n        if n <= 0:\n            n = 5"},
        {"equations": "inline q mV = 1 mV + V"},
        PORTS.format("        a <- excitatory spike\n        b <- inhibitory spike"),
        LINEAR.format(5, "exp(-t / tau_s)"),
        LINEAR.format(
            5, "t / tau_s * exp(-t / tau_s)"
        ),  # a double rate of one kernel is no singularity
        TIMER.format(2),
    ],
)
def test_what_is_meant_so_gets_no_remark(nestml: Any, model: Any) -> None:
    doubted = {"N024", "N041", "N061", "N062", "N067", "N073", "N074", "N075", "N076", "N077"}
    assert not doubted & set(found(nestml, model))


def test_equal_time_constants_name_both_and_their_place(nestml: Any) -> None:
    from interspike.canonical_model.diagnostics import Log

    log = Log()
    nestml.load(LINEAR.format(10, "exp(-t / tau_s)"), log)
    (issue,) = [item for item in log if item.code == "N073"]
    assert issue.span is not None and issue.span.line == 9
    assert "tau_m" in issue.message and "tau_s" in issue.message
