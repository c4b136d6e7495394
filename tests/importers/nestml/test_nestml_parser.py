"""Lines, blocks, comments, continuation and the tables of the grammar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interspike.canonical_model.diagnostics import Log
from interspike.importers.nestml import maketables, tables
from interspike.importers.nestml.format import sniff
from interspike.importers.nestml.lexer import read_lines
from interspike.importers.nestml.parse import parse

SMALL = "model m:\n    state:\n        x real = 0\n    update:\n"


def test_the_tables_are_those_of_the_grammar() -> None:
    text = Path(tables.__file__).read_text(encoding="utf-8")
    assert text == maketables.make(), "run python -m interspike.importers.nestml.maketables"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"# text\nmodel a_b:\n", True),
        (b"neuron x:  # text\r\n", True),
        (b'"""doc"""\r\nsynapse x:\r\n', True),
        (b"<Lems/>", False),
        (b"a model of a neuron: none", False),
        (b'{"interspike": 1}', False),
    ],
)
def test_sniff(head: bytes, expected: bool) -> None:
    assert sniff(head) is expected


@pytest.mark.parametrize(
    "body",
    [
        "        x = 1 + \\\n            2\n",
        "\tx = 3\n",
        "        # first\n\n        x = 3   # beside\n",
        "                    # deeper\n        x = 3\n   # shallower\n        x = 4\n",
        "        if x > 2:\n              x = 1\n        else:\n          x = 2\n",
        "        x = 3",
        "        if x > 1:\n            if x > 2:\n                x = 1\n            elif x > 3:\n"
        "                x = 2\n        x = 4\n",
    ],
)
def test_lines_that_are_fine(nestml: Any, body: str) -> None:
    nestml.load(SMALL + body)
    for ending in ("\r\n", "\r"):
        nestml.load((SMALL + body).replace("\n", ending))


def test_a_dedent_to_no_level_is_remarked(nestml: Any) -> None:
    body = "        if x > 0:\n              x = 1\n          x = 2\n"
    log = Log()
    component = nestml.load(SMALL + body, log)
    assert [issue.code for issue in log] == ["N011"]
    assert len(component.update) == 2


def test_comments_are_kept_where_they_belong(nestml: Any) -> None:
    text = (
        "# far away\n\n# title\n#   more\nmodel m:\n    # the state\n    state:\n        # above\n"
        "        x real = 0  # beside\n        # last of the state\n    update:\n        # do it\n"
        "        if x > 0:\n            x = 1  # one\n            # end of if\n        # end\n"
        "    input:\n        p <- spike  # port\n# after all\n"
    )
    component = nestml.load(text)
    assert component.description == "title\n  more"
    assert component.state_variables[0].description == "above\nbeside"
    assert {k: v for k, v in component.extras.items() if k.startswith("comments")} == {
        "comments:model": "far away\nafter all",
        "comments:state": "the state",
        "comments:state:after": "last of the state",
        "comments:update:0": "do it",
        "comments:update:0:after": "end of if",
        "comments:update:1:beside": "one",
        "comments:update:after": "end",
        "comments:port:p": "port",
    }


def test_several_models_in_a_file() -> None:
    log = Log()
    text = SMALL + "        x = 1\n\n# other\nmodel n:\n    state:\n        y real = 1\n"
    models = parse(read_lines(text, "f", log), "f", log)
    assert [model.name for model in models] == ["m", "n"]
    assert models[1].description == "other"
    assert not log.issues


def test_names_may_hold_dollars_and_words_of_other_languages(nestml: Any) -> None:
    component = nestml.load(state="a$b real = 1\n        lambda real = 2\n        min_ real = 3")
    assert {"a$b", "lambda", "min_"} <= {item.name for item in component.state_variables}


def test_indices_inside_guards(nestml: Any) -> None:
    component = nestml.load(
        parameters="k[2] real = 3 [[k[0] > 1 and k[k_] < 9]]\n        k_ integer = 1"
    )
    assert len(component.checks) == 2


def test_a_million_commas_take_linear_time(nestml: Any) -> None:
    names = ", ".join(f"v{i}" for i in range(3000))
    component = nestml.load(f"model m:\n    state:\n        {names} real = 0\n")
    assert len(component.state_variables) == 3000


@pytest.mark.parametrize(
    "text",
    [
        SMALL + "        x = " + "(" * 300 + "1" + ")" * 300,
        SMALL + "        x = " + "-" * 300 + "1",
        SMALL + "        x = " + "+1" * 5000,
        SMALL + "        x = " + "1 ** " * 5000 + "1",
        SMALL + "        x = " + "f(" * 300,
        SMALL
        + "".join("    " * (i + 2) + "if x > 1:\n" for i in range(300))
        + " " * 1300
        + "x = 1",
        SMALL + "        y mV" + "*mV" * 5000 + " = 1\n",
        SMALL + "        x = 1 " + "(" * 5000 + "mV" + ")" * 5000,
        SMALL + "        x = 1e999999\n",
        SMALL + "        x" + "'" * 100 + " = 1\n",
        SMALL + "        x = 1 Ym**50 * 1 Ym**50\n",
        "model m:\n    state:\n        x[999999999] real = 0\n",
        "model m:\n    state:\n" + "".join(f"        x{i}[1000] real = 0\n" for i in range(60)),
        "model m:\n    state:\n        x0 real = 1\n"
        + "".join(f"        x{i + 1} real = x{i} + x{i}\n" for i in range(60)),
    ],
    ids=range(14),
)
def test_what_is_too_deep_or_too_large_is_an_error(nestml: Any, text: str) -> None:
    assert nestml.failures(text)
