"""One mistake in a sound model: which code, at which place, with which help."""

from __future__ import annotations

from typing import Any

import pytest

MISTAKES = [
    # (parts, code, the text at the place, a word of the hint)
    ({"update": "x = 1"}, "N030", "x", ""),
    ({"update": "r = taau / 1 ms"}, "N030", "taau", "tau"),
    ({"update": "r = sqrt(2)"}, "N030", "sqrt", "**0.5"),
    ({"update": "r = log(2)"}, "N030", "log", "ln"),
    ({"update": "r = 3 mW2"}, "N040", "mW2", ""),
    ({"update": "r = 3 mM"}, "N040", "mM", "mmol/l"),
    ({"parameters": "p mVV = 3"}, "N040", "mVV", "mV"),
    ({"update": "V = 3"}, "N056", "V", "1 mV"),
    ({"update": "V += 3 pA"}, "N055", "V", ""),
    ({"update": "V = w"}, "N055", "V", ""),
    ({"update": "r = V > w ? 1 : 2"}, "N055", "> w", ""),
    ({"update": "if 1 < r < 3:\n            r = 2"}, "N052", "< 3", "and"),
    ({"update": "if V:\n            r = 2"}, "N052", "V:", "compare"),
    ({"update": "ok = 3"}, "N052", "ok = 3", ""),
    ({"update": "tau = 3 ms"}, "N034", "tau = 3", "state"),
    ({"update": "one = 3"}, "N034", "one = 3", ""),
    ({"update": "spikes = 3"}, "N034", "spikes = 3", ""),
    ({"update": "r = K"}, "N034", "K", "convolve"),
    ({"update": "r = convolve(K, spikes)"}, "N037", "convolve(K, spikes)", "inline"),
    ({"update": "r = 2 ** V"}, "N055", "** V", ""),
    ({"update": "V = V ** r"}, "N055", "** r", ""),
    ({"update": "n = 5.0 & 2"}, "N052", "& 2", ""),
    ({"update": "integrate_odes(w)"}, "N038", "w)", "V"),
    ({"update": "integrate_odes(V')"}, "N038", "V')", "name 'V'"),
    ({"update": "emit_spike(1, 2, 3)"}, "N042", "emit_spike(1", ""),
    ({"update": "V real = 1\n        V real = 2"}, "N031", "V real = 2", "another name"),
    ({"update": "t = 3 ms"}, "N030", "t = 3", ""),
    ({"update": "return 3"}, "N037", "return", ""),
    ({"update": "else:\n            r = 1"}, "N020", "else", ""),
    ({"update": "for q in 0 ... 3 step 1:\n            r = 1"}, "N030", "for", "declare"),
    ({"update": "for n in 0 ... 3 step 0:\n            r = 1"}, "N069", "for", ""),
    ({"update": "r = (1"}, "N020", "", "parenthesis"),
    ({"update": "if r = 1:\n            r = 2"}, "N020", "= 1:", "'=='"),
    ({"update": "if r > 1 && n > 1:\n            r = 2"}, "N020", "& n", "'and'"),
    ({"update": "if r > 1: r = 2"}, "N020", "r = 2", "own"),
    ({"update": "r = 3;"}, "N020", ";", "';'"),
    ({"update": "r = 'a'"}, "N020", "'a'", ""),
    ({"update": 'print("a'}, "N003", '"a', "line"),
    ({"update": "r = 3 \u00b5s"}, "N002", "\u00b5s", "'us'"),
    ({"update": "r = max(V, 1 pA)"}, "N055", "max(V", ""),
    ({"update": "r = min(1)"}, "N042", "min(1)", ""),
    ({"update": "r = V(t + 1 ms) / 1 mV"}, "N043", "V(t", "t - delay"),
    ({"state": "q mV"}, "N033", "q mV", "= 0 mV"),
    ({"state": "V mV = 1 mV"}, "N031", "V mV = 1 mV", "line 3"),
    ({"state": "q' mV/ms = 1 mV/ms"}, "N033", "q' mV", "'q' first"),
    ({"state": "e real = 1"}, "N032", "e real", ""),
    ({"state": "v[0] real = 1"}, "N045", "0]", ""),
    ({"state": "v[q] real = 1"}, "N045", "q]", ""),
    ({"state": "v[2] real = 1", "update": "v[2] = 1"}, "N045", "2] = 1", "" ),
    ({"state": "v[2] real = 1", "update": "r = v"}, "N045", "v", "v[0]"),
    ({"parameters": "q = 3"}, "N020", "= 3", "type"),
    ({"parameters": "q real = timestep() / 1 ms"}, "N037", "timestep", "resolution"),
    ({"parameters": "q real = random_normal(0, 1)"}, "N036", "random_normal", ""),
    ({"parameters": "q real = drive", "equations": "inline drive real = r"}, "N034", "drive", ""),
    ({"parameters": "q mV = 3 pA"}, "N055", "3 pA", ""),
    ({"parameters": "q real = 3 [[q]]", "update": "ok = q"}, "N052", "ok = q", ""),
    ({"equations": "w' = 3"}, "N055", "w' = 3", ""),
    ({"equations": "w' = -w"}, "N055", "w' = -w", "divide"),
    ({"equations": "q' = 3"}, "N033", "q' = 3", "state"),
    ({"equations": "w'' = 3 pA/ms**2"}, "N033", "w''", "initial"),
    ({"equations": "w = 3"}, "N020", "w = 3", "prime"),
    ({"equations": "inline q real = convolve(K, V)"}, "N035", "convolve(K, V)", "spikes"),
    ({"equations": "inline q real = convolve(KK, spikes)"}, "N030", "KK", "K"),
    ({"equations": "inline q pA = convolve(K, spikes)"}, "N056", "q pA", "1 pA"),
    ({"equations": "kernel D = delta(t) + 1"}, "N035", "D = delta", ""),
    ({"equations": "kernel D = exp(-V / 1 mV)"}, "N034", "V / 1", "parameters"),
    ({"blocks": "onReceive(I_in):\n        r = 1"}, "N049", "I_in):", ""),
    ({"blocks": "onReceive(spike_s):\n        r = 1"}, "N049", "spike_s", "spikes"),
    ({"blocks": "onReceive(spikes, order=1):\n        r = 1"}, "N046", "order", "priority"),
    ({"blocks": "onCondition(V):\n        r = 1"}, "N052", "V):", "compare"),
    ({"blocks": "onCondition(V > 1 mV):"}, "N012", "onCondition", "indented"),
    ({"blocks": "function f(a real) real:\n        r = 1"}, "N034", "r = 1", "outside"),
    ({"blocks": "function f(a real) real:\n        a = 1"}, "N047", "function f", "return"),
    ({"blocks": "function f(a real) mV:\n        return a"}, "N056", "return a", "1 mV"),
    ({"blocks": "function f(a real) real:\n        return V"}, "N034", "V", "argument"),
    ({"blocks": "paramters:\n        q real = 1"}, "N023", "paramters", "parameters"),
    ({"blocks": "update:\n        r = 1"}, "N048", "update", "join"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "code", "where", "hint"), MISTAKES)
def test_mistake(nestml: Any, parts: dict[str, str], code: str, where: str, hint: str) -> None:
    text = nestml.frame(**parts)
    issue = nestml.failures(text)[0]
    assert issue.code == code, issue.render()
    line = text.split("\n")[issue.span.line - 1]
    assert line[issue.span.column - 1 :].startswith(where), issue.render()
    assert hint in issue.hint, issue.render()


def test_every_mistake_of_a_file_is_reported_at_once(nestml: Any) -> None:
    parts = {
        "parameters": "p mVV = 1\n        q = 2\n        s mV = 3 pA",
        "update": "x = 1\n        r = (2\n        V = w\n        if y > 1:\n            r = zz",
    }
    codes = [issue.code for issue in nestml.failures(**parts)]
    assert sorted(codes) == ["N020", "N020", "N030", "N030", "N030", "N040", "N055", "N055"]


def test_one_mistake_is_reported_once_and_has_no_followers(nestml: Any) -> None:
    parts = {
        "state": "q mVV = 1",
        "update": "q = 3\n        r = q + 1\n        V = q * 2",
        "blocks": "onCondition(q > 3):\n        q = 1",
    }
    assert [issue.code for issue in nestml.failures(**parts)] == ["N040"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"update": "r = V"}, "N050"),
        ({"update": "ok = V > 3"}, "N051"),
        ({"update": "V = V + 3"}, "N051"),
        ({"update": "V = 1 V"}, "N060"),
        ({"update": "r = 5 // 2"}, "N062"),
        ({"update": "r = ok"}, "N053"),
        ({"update": "if n:\n            r = 1"}, "N053"),
        ({"update": "n = 2.5"}, "N057"),
        ({"update": "r = 10 Hz * 1 s"}, "N067"),
        ({"update": "ok = not n == 1"}, "N024"),
        ({"update": "ok = ok or ok and ok"}, "N024"),
        ({"update": "n = 1 & 2 | 3"}, "N024"),
        ({"update": "for n in 0 ... 3:\n            r = n"}, "N026"),
        ({"update": "for n in 0 ... 3 step 1:\n            r = n"}, "N065"),
        ({"update": "V mV = 3 mV"}, "N031"),
        ({"update": "exp(1)"}, "N037"),
        ({"parameters": "a1 real = b1\n        b1 real = 1"}, "N066"),
        ({"internals": "a1 real = r"}, "N059"),
        ({"equations": "w' = -w / tau"}, "N064"),
        ({"state": "h real = 1", "update": "r = 1 h / 1 s"}, "N041"),
        ({"update": "r = 2 s * tau / 1 ms**2 * 3 ms**2 / 1 s**2"}, "N025"),
    ],
)
def test_what_is_sound_but_doubtful_is_remarked(nestml: Any, parts: Any, code: str) -> None:
    assert code in nestml.remarks(**parts)


def test_priorities(nestml: Any) -> None:
    frame = (
        "model m:\n    state:\n        x real = 0\n    input:\n        a <- spike\n        b <- spike\n"
        "    onReceive(a{}):\n        x = 1\n    onReceive(b{}):\n        x = 2\n"
    )
    assert [
        e.priority for e in nestml.load(frame.format(", priority=9", ", priority=-10")).on_events
    ] == [
        9,
        -10,
    ]
    assert "N063" in nestml.remarks(frame.format(", priority=9", ", priority=10"))
    assert nestml.failures(frame.format(", priority=9", ""))[0].code == "N046"
    assert nestml.failures(frame.format(", priority=9", ", priority=9"))[0].code == "N046"


@pytest.mark.parametrize("text", ["", "# only\n# comments\n", "\n\n", "hello", "model :\n"])
def test_files_without_a_model(nestml: Any, text: str) -> None:
    assert nestml.failures(text or "\n")
