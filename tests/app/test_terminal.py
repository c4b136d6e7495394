"""Issues as a person sees them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from interspike.app import terminal
from interspike.canonical_model.diagnostics import Issue, Level, Span


def issue(span: Span | None, message: str = "there is no unit 'mW'", text: str = "") -> Issue:
    return Issue("L124", Level.ERROR, message, span, text, "did you mean 'mV'?")


def test_the_place_is_underlined(tmp_path: Path) -> None:
    file = tmp_path / "m.xml"
    file.write_text('<Lems>\n    <cell v="3 mW"/>\n</Lems>\n')
    shown = terminal.render(issue(Span(str(file), 2, 14)), {})
    assert shown.splitlines() == [
        f"{file}:2:14: error L124: there is no unit 'mW'",
        '    <cell v="3 mW"/>',
        "             ^~~~",
        "    hint: did you mean 'mV'?",
    ]


def test_a_word_is_underlined_whole(tmp_path: Path) -> None:
    file = tmp_path / "m.xml"
    file.write_text("\tabc.def ghi\n")
    lines = terminal.render(issue(Span(str(file), 1, 2)), {}).splitlines()
    assert lines[1:3] == ["    abc.def ghi", "    ^~~~~~~"]


def test_the_exact_column_in_a_very_long_line(tmp_path: Path) -> None:
    file = tmp_path / "m.xml"
    file.write_text("x" * 999_999 + " HERE " + "y" * 999_999)
    lines = terminal.render(issue(Span(str(file), 1, 1_000_001)), {}).splitlines()
    assert len(lines[1]) < 120
    assert lines[1][lines[2].index("^") :].startswith("HERE")


def test_standard_input_is_shown_too() -> None:
    shown = terminal.render(issue(Span("<stdin>", 2, 1)), {"<stdin>": b"one\ntwo\n"})
    assert "\n    two\n    ^~~\n" in shown


@pytest.mark.parametrize("span", [None, Span("nowhere.xml", 3, 1), Span("", 1, 1)])
def test_without_a_file_the_given_text_stays(span: Span | None) -> None:
    assert "    the text" in terminal.render(issue(span, text="the text"), {})


def test_a_span_beyond_the_file_is_harmless(tmp_path: Path) -> None:
    file = tmp_path / "m.xml"
    file.write_text("short\n")
    assert "^" not in terminal.render(issue(Span(str(file), 9, 9)), {})
    terminal.render(issue(Span(str(file), 1, 99)), {})


def test_control_characters_of_a_model_do_not_reach_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "m.xml"
    file.write_bytes(b"\x1b]0;owned\x07 <cell>\n")
    shown = terminal.render(issue(Span(str(file), 1, 1), "bad name '\x1b[2J'"), {})
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_colour_only_on_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.has_colour(Terminal())
    assert not terminal.has_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.has_colour(Terminal())
    assert terminal.render(issue(None), {}, colour=True).startswith("\x1b[1;31merror L124\x1b[0m")


def test_many_issues_are_capped() -> None:
    stream = io.StringIO()
    terminal.show([issue(None, f"number {n}") for n in range(50)], {}, stream)
    assert "number 19" in stream.getvalue()
    assert "number 20" not in stream.getvalue()
    assert "... and 30 more" in stream.getvalue()
