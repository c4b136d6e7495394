"""The calling side of the worker process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ...canonical_model.diagnostics import error
from .options import Job, Options, dump

AHEAD = 4  # jobs beyond those that run: the worker never waits for us
_ENVIRONMENT = {
    # one thread each: the models run side by side; the order of a set must not depend on the day
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}  # fmt: skip


class Pool:
    """A worker process with `options.jobs` children at a time. Use as a context manager.

    `lock` is a file descriptor that the processes hold open, so that its lock lives as long as any of them.
    """

    def __init__(self, options: Options, staging: Path, lock: int) -> None:
        self._ahead = options.jobs + AHEAD
        config = {
            **options.meaning(),
            "source": str(options.source.resolve()),
            "output": str(options.output.resolve()),
            "staging": str(staging.resolve()),
            "targets": list(options.targets),
            "jobs": options.jobs,
            "seconds": options.seconds,
            "memory": options.memory,
        }
        module = f"{__package__}.server"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, dump(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
            pass_fds=(lock,),
        )

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Mapping[str, Any]]]:
        """Messages of the jobs as they come, at last `{"end": True}` of each.

        Raises ModelError A204 if the worker process itself ends.
        """
        waiting = enumerate(jobs)
        running: dict[int, Job] = {}
        while True:
            while len(running) < self._ahead:
                following = next(waiting, None)
                if following is None:
                    break
                number, job = following
                running[number] = job
                self._send({"id": number, "job": job.to_json()})
            if not running:
                return
            answer = self._receive()
            job = running[answer["id"]]
            if "end" in answer["message"]:
                del running[answer["id"]]
            yield job, answer["message"]

    def _send(self, command: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(dump(command).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._gone() from None

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._gone()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _gone(self) -> Exception:
        code = self._process.poll()
        message = f"the worker process ended (code {code})"
        return error("A204", message, hint="what is done is kept: go on with --resume")
