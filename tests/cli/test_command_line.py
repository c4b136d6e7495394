"""The installed commands as a shell calls them: streams, exit codes, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from interspike import __version__
from interspike.app import cli, convert

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("convert", "inspect", "simulate", "run", "formats", "diff", "verify", "migrate")


def interspike(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "interspike", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_version() -> None:
    run = interspike("--version")
    assert (run.returncode, run.stdout) == (0, f"interspike {__version__}\n")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", __version__)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    run = interspike(command, "--help")
    assert run.returncode == 0
    assert "exit codes:" in run.stdout
    assert run.stderr == ""


def test_solvers_of_parser_and_library_are_the_same() -> None:
    assert cli.SOLVERS == convert.SOLVERS


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["convert"],
        ["convert", "x"],
        ["convert", "x", "--to", "y", "--sovler", "e"],
    ],
)
def test_bad_usage_is_2(arguments: list[str]) -> None:
    run = interspike(*arguments)
    assert run.returncode == 2
    assert run.stdout == ""
    assert "usage:" in run.stderr


def test_the_plain_convert_command_takes_the_same_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["nowhere.xml", "--to", "spinnaker2"], ["--to", "spinnaker2", "nowhere.xml"]):
        assert cli.convert_main(arguments) == 2
        assert "A001" in capsys.readouterr().err
        assert cli.main(["convert", *arguments]) == 2
        assert "A001" in capsys.readouterr().err


def test_both_console_scripts_are_declared() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert 'interspike = "interspike.app.cli:main"' in text
    assert 'convert = "interspike.app.cli:convert_main"' in text


def test_formats_as_json_and_text() -> None:
    data = json.loads(interspike("formats", "--json").stdout)
    names = {(item["direction"], item["name"]) for item in data}
    assert {("from", "lems"), ("to", "spinnaker2"), ("to", "canonical")} <= names
    text = interspike("formats").stdout
    assert "morphology" in text
    assert "\x1b" not in text


def test_empty_standard_input() -> None:
    run = interspike("convert", "-", "--to", "spinnaker2", input="")
    assert run.returncode == 2
    assert "<stdin>: error A005: the file is empty" in run.stderr


def test_closed_pipe_is_silent() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "interspike", "formats"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == cli.PIPE_CLOSED


def test_interrupt_is_130(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "interspike", "convert", "-", "--to", "spinnaker2"],
        stdin=read_end,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        # a background job of a shell has SIGINT ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        time.sleep(1.0)  # it waits for standard input by now
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        os.close(read_end)
        os.close(write_end)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_run_needs_a_folder_of_ours(tmp_path: Path) -> None:
    run = interspike("run", str(tmp_path))
    assert run.returncode == 2
    assert "A030" in run.stderr
