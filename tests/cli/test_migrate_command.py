"""`interspike migrate` as a shell runs it: killed at any moment, among hostile files, at length."""

from __future__ import annotations

import fcntl
import html
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from interspike.app.migrate import run
from interspike.app.migrate.options import Options
from interspike.canonical_model.diagnostics import ModelError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
KILLS = int(os.environ.get("INTERSPIKE_KILLS", "5"))
TARGETS = ("--to", "spinnaker2", "--to", "nest", "--to", "nestml", "--to", "canonical")


def command(source: Path, output: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-P", "-m", "interspike", "migrate", str(source), "-o", str(output),
        *(TARGETS if "--to" not in more else ()), *more,
    ]  # fmt: skip


def interspike(source: Path, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(source, output, *more), capture_output=True, text=True, timeout=300, check=False
    )


def tree(output: Path) -> dict[str, bytes]:
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and ".interspike" not in path.parts
    }


def variants(source: Path, count: int) -> None:
    """Models of one kind with other values, in folders of fifty."""
    text = (FIXTURES / "lems/izhikevich_network.xml").read_text()
    for k in range(count):
        place = source / f"set_{k // 50}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"model_{k}.xml").write_text(text.replace('"150 pF"', f'"{100 + k} pF"'))


def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    variants(source, 25)
    shutil.copy(FIXTURES / "lems/invalid/malformed.xml", source)
    whole = interspike(source, tmp_path / "whole", "--jobs", "2")
    assert whole.returncode == 1
    wanted = tree(tmp_path / "whole")
    output = tmp_path / "killed"
    dice = random.Random(KILLS)
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            command(source, output, "--jobs", "2", "--resume"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(dice.uniform(0.1, 12.0 / KILLS))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed, "no run was long enough to be killed"
    assert interspike(source, output, "--jobs", "2", "--resume").returncode == 1
    assert tree(output) == wanted
    assert not list((output / ".interspike").glob("staging/*"))
    assert not [path for path in output.rglob(".*") if path.name != ".interspike"
                and ".interspike" not in path.parts]  # fmt: skip


def hostile(source: Path, count: int) -> None:
    """Broken, hostile and foreign files: cut, mixed and random ones."""
    dice = random.Random(count)
    seeds = sorted((FIXTURES / "lems").glob("*.xml"))
    invalid = sorted((FIXTURES / "lems/invalid").glob("*.xml"))
    (source / "bad").mkdir(parents=True)
    for k in range(count):
        place = source / "bad" / f"file_{k}"
        if k % 4 == 0:
            place.with_suffix(".xml").write_bytes(invalid[k // 4 % len(invalid)].read_bytes())
        elif k % 4 == 1:
            seed = dice.choice(seeds)
            data = seed.read_bytes()
            place.with_suffix(seed.suffix).write_bytes(data[: dice.randrange(len(data) // 2)])
        elif k % 4 == 2:
            place.with_suffix(".nestml").write_bytes(b"model x:\n  state:\n" + dice.randbytes(200))
        else:
            place.with_suffix(dice.choice((".json", ".yml", ".h5", ""))).write_bytes(
                dice.choice((b"", b"{" * 5000, b"\x89HDF\r\n\x1a\n", dice.randbytes(500)))
            )


def test_good_models_among_hundred_bad_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    variants(source, 4)
    hostile(source, 100)
    found = interspike(source, tmp_path / "out", "--to", "spinnaker2", "--json")
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    data = json.loads((tmp_path / "out/migration.json").read_text())
    good = [row for row in data["files"] if row["source"].startswith("set_")]
    assert len(good) == 4
    assert {row["status"] for row in good} == {"exact"}
    bad = [row for row in data["files"] if row["source"].startswith("bad/")]
    assert len({row["source"] for row in bad}) == 100
    for row in bad:
        assert row["status"] in ("failed", "skipped", "included"), row
        assert row["reasons"][0]["message"], row
        assert "internal error" not in row["reasons"][0]["message"], row


def test_the_rate_does_not_fall(tmp_path: Path) -> None:
    source = tmp_path / "source"
    variants(source, 60)
    found = interspike(source, tmp_path / "out", "--to", "canonical", "--jobs", "1")
    assert found.returncode == 0, found.stdout
    modified = sorted(path.stat().st_mtime for path in (tmp_path / "out").rglob("interspike.json"))
    assert len(modified) == 60
    first, second = modified[29] - modified[0], modified[59] - modified[30]
    # the machine may be busy with something else: a factor of two would still show growth
    assert second < 2.5 * first + 0.5


def test_usage(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    assert interspike(tmp_path / "nowhere", tmp_path / "out").returncode == 2
    bad = interspike(tmp_path / "source", tmp_path / "out", "--jobs", "0")
    assert (bad.returncode, "A207" in bad.stderr) == (2, True)
    empty = interspike(tmp_path / "source", tmp_path / "out")
    assert empty.returncode == 0
    again = interspike(tmp_path / "source", tmp_path / "out")
    assert (again.returncode, "A201" in again.stderr) == (2, True)


def test_two_at_once_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE", 0.2)
    (tmp_path / "source").mkdir()
    (tmp_path / "out/.interspike").mkdir(parents=True)
    options = Options(source=tmp_path / "source", output=tmp_path / "out", targets=("canonical",))
    with (tmp_path / "out/.interspike/lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="A206"):
            run.migrate(options)


@pytest.mark.skipif(
    not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")),
    reason="needs Chromium",
)
def test_the_page_opens_sorts_and_filters_in_a_browser(tmp_path: Path) -> None:
    source = tmp_path / "source"
    variants(source, 3)
    (source / "readme.txt").write_text("nothing")
    interspike(source, tmp_path / "out", "--to", "canonical")
    page = (tmp_path / "out/index.html").read_text()
    # nothing is fetched: no address in any attribute or style, and the policy would forbid it
    assert not re.search(r"(?:src|href|action|url)\s*[=(]\s*[\"']?(?!#)\w*:?//", page)
    assert "default-src 'none'" in html.unescape(page)
    # the page's own policy lets no other script in: the trial is part of the same one
    trial = """
    const first = () => body.rows[0].cells[0].textContent;
    const heading = table.tHead.rows[0].cells[0];
    heading.click(); const up = first(); heading.click(); const down = first();
    text.value = "model_1"; filter();
    document.title = [up, down, rows.filter(row => !row.hidden).length].join(" ");
    </script>"""
    (tmp_path / "trial.html").write_text(page.replace("</script>", trial, 1))
    browser = next(
        path for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    )  # fmt: skip
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                 f"--user-data-dir={tmp_path / 'profile'}"]  # fmt: skip
    done = subprocess.run(
        [browser, *arguments, (tmp_path / "trial.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "<title>readme.txt set_0/model_2.xml 1</title>" in done.stdout
