"""The worker process: loads everything once, then forks a child for each model.

A child starts from the same state whatever was converted before, so that neither memory nor results
depend on the order, and what kills it (a limit, a fault in a library) costs one conversion only. Jobs
come as JSON lines on standard input, messages go as JSON lines to standard output.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, BinaryIO

from ...canonical_model.diagnostics import Issue, Level, Span
from .. import registry
from ..convert import convert
from ..load import RECURSION, load_bytes
from .options import CRASHED, dump
from .work import make_row, work

CHUNK = 1 << 16
MAX_FILE = 1 << 30  # bytes that a conversion may write in one file
PR_SET_PDEATHSIG = 1
_HEAVY = ("numpy", "lxml.etree", "jinja2", "lark", "yaml")
_OURS = ("solvers.planner", "canonical_model.verify", "canonical_model.passes.wire")


@dataclass(slots=True)
class Child:
    """A running conversion; `left` are the targets that it has not reported yet."""

    number: int
    job: Mapping[str, Any]
    pid: int
    pipe: int
    left: dict[str, str]
    since: float
    data: bytearray = field(default_factory=bytearray)
    loaded: bool = False
    late: bool = False


class Server:
    """Runs at most `config["jobs"]` children at a time, each within its limits."""

    def __init__(self, config: Mapping[str, Any], commands: BinaryIO, answers: BinaryIO) -> None:
        self._config = config
        self._commands = commands
        self._answers = answers
        self._waiting: deque[tuple[int, Mapping[str, Any]]] = deque()
        self._children: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._input = bytearray()
        self._open = True

    def run(self) -> None:
        """Work until the input ends; then kill what still runs, since nobody waits for it."""
        self._selector.register(self._commands, selectors.EVENT_READ, None)
        try:
            while self._open:
                while self._waiting and len(self._children) < self._config["jobs"]:
                    self._start(*self._waiting.popleft())
                for key, _ in self._selector.select(timeout=self._patience()):
                    if key.data is None:
                        self._read_commands()
                    else:
                        self._read_child(key.data)
                self._stop_late()
        finally:
            for child in self._children.values():
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)

    def _read_commands(self) -> None:
        data = os.read(self._commands.fileno(), CHUNK)
        self._open = bool(data)
        self._input += data
        while b"\n" in self._input:
            line, _, rest = self._input.partition(b"\n")
            self._input = bytearray(rest)
            command = json.loads(line)
            self._waiting.append((command["id"], command["job"]))

    def _start(self, number: int, job: Mapping[str, Any]) -> None:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            _be_child(job, self._config, writer)
        os.close(writer)
        child = Child(number, job, pid, reader, dict(job["folders"]), time.monotonic())
        self._children[reader] = child
        self._selector.register(reader, selectors.EVENT_READ, child)

    def _read_child(self, child: Child) -> None:
        data = os.read(child.pipe, CHUNK)
        if not data:
            self._end(child)
            return
        child.data += data
        while b"\n" in child.data:
            line, _, rest = child.data.partition(b"\n")
            child.data = bytearray(rest)
            message = json.loads(line)
            child.loaded = True
            child.left.pop(message.get("target"), None)
            child.since = time.monotonic()
            self._answer(child.number, message)

    def _end(self, child: Child) -> None:
        """The child is gone: say why what it was at is missing, and start again for the rest."""
        self._selector.unregister(child.pipe)
        os.close(child.pipe)
        del self._children[child.pipe]
        _, status = os.waitpid(child.pid, 0)
        if not child.left:
            self._answer(child.number, {"end": True})
            return
        issue = _death(child, status, self._config["seconds"])
        # a file that cannot be loaded is lost for every target
        lost = list(child.left)[:1] if child.loaded else list(child.left)
        facts = {"language": child.job["language"]}
        for target in lost:
            row = make_row(child.job["source"], target, CRASHED, [issue], **facts)
            self._answer(child.number, {"target": target, "rows": [row.to_json()]})
            del child.left[target]
        if child.left:
            self._waiting.appendleft((child.number, {**child.job, "folders": child.left}))
        else:
            self._answer(child.number, {"end": True})

    def _patience(self) -> float | None:
        if not self._children:
            return None
        first = min(child.since for child in self._children.values())
        return max(0.05, first + float(self._config["seconds"]) - time.monotonic())

    def _stop_late(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if not child.late and now - child.since > self._config["seconds"]:
                child.late = True
                os.kill(child.pid, signal.SIGKILL)

    def _answer(self, number: int, message: Mapping[str, Any]) -> None:
        self._answers.write(dump({"id": number, "message": message}).encode() + b"\n")
        self._answers.flush()


def _death(child: Child, status: int, seconds: float) -> Issue:
    """Why a child ended before its work."""
    source = child.job["source"]
    killer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if child.late or killer == signal.SIGXCPU:
        message = f"it was stopped after {seconds:g} s"
        hint = "give more time with --time"
        return Issue("A224", Level.ERROR, message, Span(source), hint=hint)
    how = signal.Signals(killer).name if killer else f"code {os.waitstatus_to_exitcode(status)}"
    message = f"the process that converted it ended with {how}"
    hint = "more memory (--memory) may help"
    return Issue("A225", Level.ERROR, message, Span(source), hint=hint)


def _be_child(job: Mapping[str, Any], config: Mapping[str, Any], pipe: int) -> None:
    """The child's whole life. Never returns."""
    code = 1
    try:
        _die_with_parent()
        _limit(config, len(job["folders"]))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)

        def send(message: Mapping[str, Any]) -> None:
            data = memoryview(dump(message).encode() + b"\n")
            while data:
                data = data[os.write(pipe, data) :]

        work(job, config, send)
        code = 0
    except MemoryError:
        code = 12
    finally:
        os._exit(code)


def _die_with_parent() -> None:
    """On Linux the kernel ends a child whose parent is gone."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit(config: Mapping[str, Any], targets: int) -> None:
    seconds = int(config["seconds"] * (targets + 1)) + 1
    limits = {
        resource.RLIMIT_AS: config["memory"],
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: MAX_FILE,
        resource.RLIMIT_CORE: 0,
    }
    for kind, wanted in limits.items():
        _, hard = resource.getrlimit(kind)
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, hard))


def _load_everything(targets: list[str]) -> None:
    """What every child needs is imported before the first fork; what is missing is told per model."""
    package = __package__.rsplit(".", 2)[0]
    for name in (*_HEAVY, *(f"{package}.{ours}" for ours in _OURS)):
        with suppress(ImportError):
            import_module(name)
    for dotted in registry.IMPORTERS.values():
        with suppress(ImportError):
            registry.resolve(registry.resolve(dotted).read)
    for name in targets:
        with suppress(ImportError):
            registry.resolve(registry.exporter(name).export)


def _read_samples(targets: list[str]) -> None:
    """Small models through the whole line: what is built on first use is there before the first fork."""
    for dotted in registry.IMPORTERS.values():
        sample = registry.resolve(dotted).sample
        for target in targets if sample else ():
            # what fails here fails again where it can be told
            with suppress(Exception):
                convert(load_bytes(sample, file="sample"), to=target)


def main() -> None:
    """Serve. The configuration is the only argument, as JSON."""
    config = json.loads(sys.argv[1])
    # an interrupt is for the process that asked; it closes our input
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(RECURSION)
    os.chdir(config["source"])
    _load_everything(config["targets"])
    _read_samples(config["targets"])
    gc.collect()
    gc.freeze()
    with suppress(BrokenPipeError):
        Server(config, sys.stdin.buffer, sys.stdout.buffer).run()


if __name__ == "__main__":
    main()
