"""What `interspike migrate` costs, beside NESTML 9 and over many variants; writes docs/migrate.md.

    python benchmarks/migrate_page.py LIBRARY_DIR [--models 8] [--repeats 3] [--count 2000] [-o PAGE]

LIBRARY_DIR holds NESTML's `neurons`. Both tools generate code for NEST from the same files, in turns; CPU is
user plus system time of all processes. NESTML gets all files in one call, which spares it start-ups.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from interspike.nest import build as building
from measure import Cost, once
from nestml_peer import GENERATE

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path)
    parser.add_argument("--models", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/migrate.md")
    arguments = parser.parse_args()
    lines = [
        "# What migrating costs",
        "",
        "Made by `python benchmarks/migrate_page.py LIBRARY_DIR` on a computer with "
        f"{os.cpu_count()} cores that did other work as well.",
    ]
    lines += beside_nestml(arguments.library, arguments.models, arguments.repeats)
    lines += variants(arguments.count)
    lines += indexes(arguments.library)
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def beside_nestml(library: Path, count: int, repeats: int) -> list[str]:
    """CPU of both for the same files, in turns."""
    files = sorted((library / "neurons").glob("*.nestml"))[:: max(1, 30 // count)][:count]
    rows, everything = [], sorted(library.rglob("*.nestml"))
    for _ in range(repeats):
        ours, theirs = _ours(files), _theirs(files)
        rows.append((ours, theirs))
    whole = [_ours(everything) for _ in range(repeats)]
    ratio = statistics.median(theirs.cpu / ours.cpu for ours, theirs in rows)
    ours, theirs = (statistics.median(row[k].cpu for row in rows) for k in (0, 1))
    return [
        "",
        "## Beside NESTML 9",
        "",
        f"{len(files)} neurons of NESTML's library to NEST's C++, code generation only, {repeats} times in",
        "turns, medians: " + ", ".join(f"`{path.stem}`" for path in files) + ".",
        "",
        "| | CPU, s | for one model, s | largest memory, MB |",
        "|---|---|---|---|",
        f"| `interspike migrate --to nest` | {ours:.2f} | {ours / len(files):.3f} "
        f"| {max(row[0].peak for row in rows):.0f} |",
        f"| NESTML 9, one call for all | {theirs:.1f} | {theirs / len(files):.2f} "
        f"| {max(row[1].peak for row in rows):.0f} |",
        "",
        f"NESTML needs {ratio:.0f} times the CPU. The whole library, {len(everything)} files, takes "
        f"`migrate --to nest` {statistics.median(item.cpu for item in whole):.1f} s.",
    ]


def _ours(files: list[Path]) -> Cost:
    """`interspike migrate` as a user runs it, start of Python and ledger included."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        source.mkdir()
        for path in files:
            shutil.copyfile(path, source / path.name)
        command = [sys.executable, "-P", "-m", "interspike", "migrate", str(source), "--to", "nest"]
        return once([*_forgiving(), *command, "-o", str(Path(name) / "out")])


def _forgiving() -> list[str]:
    """A shell that takes the exit code of refused models for success."""
    return ["sh", "-c", '"$@"; test $? -lt 4', "sh"]


def _theirs(files: list[Path]) -> Cost:
    with tempfile.TemporaryDirectory() as name:
        job = {
            "files": [str(path) for path in files], "folder": name, "module": "libmodule",
            "suffix": "_nestml9", "version": f"v{building.find_nest().version}", "options": {},
        }  # fmt: skip
        return once([sys.executable, "-P", "-c", GENERATE, json.dumps(job)], Path(name))


def variants(count: int) -> list[str]:
    """Rate and memory over `count` generated models."""
    bench = ROOT / "benchmarks/bench_migrate.py"
    command = [sys.executable, "-P", str(bench), "--count", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        "",
        f"## {count} generated variants",
        "",
        f"`python benchmarks/bench_migrate.py --count {count}`: one model with another value in each file,",
        "to SpiNNaker2, in tenths of the run. Memory of the caller and of the worker with its children:",
        "",
        "```",
        *(line[:100] for line in done.stdout.rstrip().splitlines()),
        "```",
    ]


def indexes(library: Path) -> list[str]:
    """What the indexes of the targets are worth, tried."""
    lines = ["", "## The indexes", ""]
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        source = Path(name) / "source"
        source.mkdir()
        for path in sorted((library / "neurons").glob("iaf_psc_*.nestml"))[:4]:
            shutil.copyfile(path, source / path.name)
        (source / "CITATION.cff").write_text("cff-version: 1.2.0\n")
        targets = [word for to in ("nest", "lems", "spinnaker2") for word in ("--to", to)]
        command = [sys.executable, "-P", "-m", "interspike", "migrate", str(source), *targets]
        once([*_forgiving(), *command, "-o", str(out)])
        lines.append(f"* LEMS, `index.xml`, in jNeuroML: {_in_jneuroml(out / 'lems')}")
        lines.append(
            f"* NEST, one project for all modules, built and loaded: {_in_nest(out / 'nest')}"
        )
        lines.append(f"* PyNN classes, imported: {_in_python(out / 'spinnaker2')}")
        cited = "CITATION.cff" in (out / "CITATION.md").read_text()
        lines.append(
            f"* `CITATION.md` names the source's own citation file: {'yes' if cited else 'no'}"
        )
    return lines


def _in_jneuroml(place: Path) -> str:
    import importlib.util

    found = importlib.util.find_spec("pyneuroml")
    folders = list(found.submodule_search_locations or ()) if found else []
    jar = next(iter(sorted(Path(folders[0]).glob("lib/jNeuroML-*.jar"))), None) if folders else None
    if jar is None or shutil.which("java") is None:
        return "jNeuroML is not installed here"
    # a run of nothing reads and resolves every type and component
    trial = place / "trial.xml"
    trial.write_text(
        '<Lems><Target component="s"/><Include file="index.xml"/><Include file="Simulation.xml"/>'
        '<Include file="Networks.xml"/><network id="none"/>'
        '<Simulation id="s" length="1ms" step="0.1ms" target="none"/></Lems>'
    )
    command = ["java", "-Djava.awt.headless=true", "-jar", str(jar), "trial.xml", "-nogui"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    return "read whole" if done.returncode == 0 and "ERROR" not in said else said.strip()[-200:]


def _in_nest(place: Path) -> str:
    flags = f"-DNEST_PYTHON={sys.executable}"
    for command in (["cmake", "-S", ".", "-B", "build", flags], ["cmake", "--build", "build"]):
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stdout + done.stderr).strip()[-200:]
    modules = sorted(place.rglob("*_module.so"))
    code = f"import nest\nfor m in {[str(m) for m in modules]!r}: nest.Install(m)\nprint('loaded')"
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)
    said = f"{len(modules)} modules" if "loaded" in done.stdout else done.stderr.strip()[-200:]
    return said


def _in_python(place: Path) -> str:
    code = "import interspike_cells as c\nfor n in c.CLASSES: getattr(c, n)\nprint(len(c.CLASSES), 'classes')"
    paths = os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    return done.stdout.strip() or (done.stderr.strip().splitlines() or ["nothing"])[-1]


if __name__ == "__main__":
    main()
