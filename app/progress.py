"""A line on the terminal while work lasts, from the second second on; silent everywhere else."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

PATIENCE = 1.0  # s before anything is shown


class Progress:
    """Shows what is being done. Use as a context manager; call it to name the stage."""

    def __init__(self, subject: str, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._subject = subject
        self._stage = "working"
        self._start = time.monotonic()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, stage: str) -> None:
        self._stage = stage

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        shown = False
        wait = PATIENCE
        while not self._done.wait(wait):
            seconds = time.monotonic() - self._start
            self._write(f"\r\x1b[2K{self._subject}: {self._stage} ... {seconds:.0f} s")
            shown, wait = True, 0.2
        if shown:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._done.set()
