"""The worked example of CONTRIBUTING.md: taken from the page, installed with pip, run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODEL = ROOT / "fixtures/lems/iaf.xml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed."""
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path_factory.mktemp("outline")
    files = dict(FILE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert set(files) == {
        "pyproject.toml",
        "interspike_outline/format.py",
        "interspike_outline/emit.py",
    }
    for name, text in files.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text, encoding="utf-8")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run([*command, *options, str(source)], check=True, cwd=source)
    return target


def interspike(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "interspike", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_formats_lists_it(site: Path, tmp_path: Path) -> None:
    run = interspike(site, tmp_path, "formats", "--json")
    assert run.returncode == 0, run.stderr
    found = {item["name"]: item for item in json.loads(run.stdout)}
    assert found["outline"]["origin"] == "interspike-outline"
    assert found["outline"]["abilities"]["units"]["support"] == "full"
    assert found["outline"]["abilities"]["morphology"]["support"] == "none"


def test_convert_uses_it(site: Path, tmp_path: Path) -> None:
    run = interspike(site, tmp_path, "convert", str(MODEL), "--to", "outline")
    assert run.returncode == 0, run.stderr
    assert run.stdout == "iaf_outline\n"
    names = sorted(item.name for item in (tmp_path / "iaf_outline").iterdir())
    assert names == ["iaf.md", "interspike.json", "report.json"]
    outline = (tmp_path / "iaf_outline/iaf.md").read_text()
    assert "## lif" in outline
    assert "* leakReversal = -65 mV" in outline
    assert "* cells: 1 x lif" in outline
    report = json.loads((tmp_path / "iaf_outline/report.json").read_text())
    assert report["outcome"] == "converted"
    assert "OUTLINE1" in [entry["code"] for entry in report["entries"]]


def test_strict_refuses_its_losses(site: Path, tmp_path: Path) -> None:
    run = interspike(site, tmp_path, "convert", str(MODEL), "--to", "outline", "--strict")
    assert run.returncode == 3, run.stderr
    assert "OUTLINE1" in run.stderr
    assert list(tmp_path.iterdir()) == []
