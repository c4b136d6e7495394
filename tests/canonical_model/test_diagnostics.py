"""Issues as values."""

from __future__ import annotations

from interspike.canonical_model.diagnostics import MAX_TEXT, Issue, Level


def test_sentences_have_an_end() -> None:
    issue = Issue("L160", Level.ERROR, f"there is no '{'q' * 10_000_000}'", text="x" * 5000)
    assert len(issue.message) == len(issue.text) == MAX_TEXT
    assert issue.message.endswith("...")
    assert issue == Issue("L160", Level.ERROR, issue.message, text=issue.text)
