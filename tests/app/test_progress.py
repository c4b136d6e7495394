"""Progress is for people at a terminal who wait."""

from __future__ import annotations

import io
import time

import pytest
from interspike.app import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_silent_when_not_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    stream = io.StringIO()
    with progress.Progress("m.xml", stream):
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_silent_when_fast() -> None:
    stream = Terminal()
    with progress.Progress("m.xml", stream) as stage:
        stage("reading")
    assert stream.getvalue() == ""


def test_tells_the_stage_and_cleans_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.02)
    stream = Terminal()
    with progress.Progress("m.xml", stream) as stage:
        stage("reading")
        deadline = time.monotonic() + 5
        while "reading" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert "m.xml: reading ... 0 s" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[2K")


def test_an_error_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError), progress.Progress("m.xml", Terminal()):
        raise KeyError
