"""Every file in fixtures/lems/invalid: exit code 2, file and line named, nothing written."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from interspike.app.cli import main

FOLDER = Path(__file__).resolve().parents[2] / "fixtures/lems/invalid"
FILES = sorted(path.name for path in FOLDER.glob("*.xml"))

# file -> (line, what the message must say); line 0: the message is about the file as a whole
EXPECTED = {
    "absolute_include.xml": (6, "/etc/passwd"),
    "bad_expression.xml": (11, "x / \\(tau"),
    "bad_quantity.xml": (14, "soon"),
    "bad_step.xml": (15, "step"),
    "binary.xml": (0, ""),
    "cyclic_component.xml": (14, "'[de]'"),
    "cyclic_derived.xml": (9, "'?[ab]'?"),
    "cyclic_include.xml": (0, "cyclic_include"),
    "cyclic_inheritance.xml": (6, "chicken"),
    "deep_expression.xml": (5, "deep|nested|long"),
    "deep_nesting.xml": (3, "deep|nested"),
    "duplicate_id.xml": (15, "'d'"),
    "empty.xml": (0, "empty"),
    "entity_bomb.xml": (0, "entit|DOCTYPE"),
    "escaping_include.xml": (6, "passwd"),
    "external_entity.xml": (0, "entit|DOCTYPE"),
    "index_out_of_range.xml": (13, "7"),
    "malformed.xml": (5, ""),
    "missing_include.xml": (6, "no_such_file.xml"),
    "missing_parameter.xml": (14, "tau"),
    "not_a_model.xml": (0, ""),
    "unknown_base.xml": (5, "nowhere"),
    "unknown_function.xml": (11, "wobble"),
    "unknown_population.xml": (12, "others"),
    "unknown_regime.xml": (0, "second"),
    "unknown_select.xml": (0, "z"),
    "unknown_target.xml": (15, "nobody"),
    "unknown_type.xml": (6, "iafCel"),
    "unknown_unit.xml": (14, "fortnights"),
    "unknown_variable.xml": (11, "'y'"),
    "unresolved_requirement.xml": (0, "temperature"),
    "wrong_dimension_condition.xml": (0, "dimension|per_time|frequency"),
    "wrong_dimension_derived.xml": (0, "dimension|time"),
    "wrong_dimension_equation.xml": (11, "dimension|time"),
    "wrong_dimension_parameter.xml": (14, "voltage"),
}


def test_every_file_has_an_expectation() -> None:
    assert set(FILES) == set(EXPECTED)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("target", ["spinnaker2"])
def test_invalid(
    name: str,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(FOLDER, tmp_path / "in")
    before = {path.name for path in (tmp_path / "in").iterdir()}
    monkeypatch.chdir(tmp_path / "in")
    code = main(["convert", name, "--to", target, "-o", "out"])
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    line, says = EXPECTED[name]
    stem = name.removesuffix(".xml")
    place = (
        rf"{stem}\S*?:{line}(:\d+)?: error [A-Z]+\d+: " if line else rf"{stem}.*error [A-Z]+\d+: "
    )
    assert re.search(place, err), err
    assert re.search(says, err), err
    assert {path.name for path in (tmp_path / "in").iterdir()} == before


@pytest.mark.parametrize("name", ["entity_bomb.xml", "deep_nesting.xml", "deep_expression.xml"])
def test_hostile_files_cost_little(name: str) -> None:
    code = (
        "import resource, sys\n"
        "from interspike.app.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (10, 10))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        f"sys.exit(main(['convert', {name!r}, '--to', 'spinnaker2', '-o', '/nonexistent/x']))\n"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=FOLDER, capture_output=True, text=True
    )
    assert run.returncode == 2, run.stderr


def test_a_huge_file_that_is_no_model(tmp_path: Path) -> None:
    """50 MB of one unclosed element: an error with a place, in bounded memory and time."""
    file = tmp_path / "huge.xml"
    with file.open("wb") as stream:
        stream.write(b"<Lems>\n")
        for _ in range(50):
            stream.write(b"<thing a='1'/>\n" * (1 << 16))
    code = (
        "import resource, sys\n"
        "from interspike.app.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (60, 60))\n"
        "code = main(['convert', 'huge.xml', '--to', 'spinnaker2'])\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(peak); sys.exit(code)\n"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 2, run.stderr
    assert re.search(r"huge\.xml.*error", run.stderr)
    assert float(run.stdout) < 2500
    assert [path.name for path in tmp_path.iterdir()] == ["huge.xml"]


LONG = """<Lems><Target component="c"/><Dimension name="time" t="1"/>
<Unit symbol="ms" dimension="time" power="-3"/>
<ComponentType name="cell"><Parameter name="tau" dimension="time"/><Exposure name="x" dimension="none"/>
<Dynamics><StateVariable name="x" exposure="x" dimension="none"/>
<TimeDerivative variable="x" value="%s*x/tau"/></Dynamics></ComponentType><cell id="c" tau="5ms"/></Lems>"""


@pytest.mark.parametrize(("factors", "code"), [(1500, 0), (4000, 2)])
def test_a_long_product_converts_or_is_named(factors: int, code: int, tmp_path: Path) -> None:
    (tmp_path / "long.xml").write_text(LONG % "*".join(["1.0"] * factors))
    run = subprocess.run(
        [sys.executable, "-P", "-m", "interspike", "convert", "long.xml", "--to", "spinnaker2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == code, run.stderr
    assert code == 0 or "V117" in run.stderr
