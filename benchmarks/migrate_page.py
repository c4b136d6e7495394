"""What `interspike migrate` costs, beside NESTML 9 and over many variants; writes docs/migrate.md.

    python benchmarks/migrate_page.py LIBRARY_DIR [--chunk 6] [--count 2000] [--work DIR] [-o PAGE]

LIBRARY_DIR holds NESTML's `neurons`. Both tools generate code for NEST from the same files, a chunk of them
one call, in turns; CPU is user plus system time of all processes. Results are kept in the work folder: a call
that was interrupted goes on where it stopped, with the same version of the code only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interspike.nest import build as building
from measure import Cost, jneuroml, once, version
from nestml_peer import GENERATE

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path)
    parser.add_argument("--chunk", type=int, default=6, help="models in one call")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("-o", dest="output", type=Path, default=ROOT / "docs/migrate.md")
    arguments = parser.parse_args()
    lines = [
        "# What migrating costs",
        "",
        "Made by `python benchmarks/migrate_page.py LIBRARY_DIR` on a computer with "
        f"{os.cpu_count()} cores that did other work as well.",
    ]
    work = arguments.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    kept = Kept(work / "migrate_page.json")
    lines += beside_nestml(arguments.library, arguments.chunk, kept)
    lines += kept.get("variants", lambda: variants(arguments.count))
    lines += kept.get("indexes", lambda: indexes(arguments.library))
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Kept:
    """Results by name, in a file, of one version of the code."""

    def __init__(self, path: Path) -> None:
        self.path = path
        known = json.loads(path.read_text()) if path.exists() else {}
        self.results = known if known.get("code") == version() else {"code": version()}

    def get(self, name: str, work: Callable[[], Any]) -> Any:
        """The result called `name`, computed if it is not known."""
        if name not in self.results:
            self.results[name] = work()
            self.path.write_text(json.dumps(self.results, indent=1))
            print(name, str(self.results[name])[:100], flush=True)
        return self.results[name]


def beside_nestml(library: Path, size: int, kept: Kept) -> list[str]:
    """CPU of both for all neurons, chunk by chunk in turns."""
    files = sorted((library / "neurons").glob("*.nestml"))
    chunks = [files[k : k + size] for k in range(0, len(files), size)]
    rows: list[list[list[float]]] = []
    for number, chunk in enumerate(chunks):

        def pair(chunk: list[Path] = chunk) -> list[list[float]]:
            return [[cost.cpu, cost.peak] for cost in (_ours(chunk), _theirs(chunk))]

        rows.append(kept.get(f"chunk {number}", pair))
    whole = kept.get("whole", lambda: _ours(files).cpu)
    library_cpu = kept.get("library", lambda: _ours(sorted(library.rglob("*.nestml"))).cpu)
    ours, theirs = (sum(row[k][0] for row in rows) for k in (0, 1))
    ratios = [row[1][0] / row[0][0] for row in rows]
    return [
        "",
        "## Beside NESTML 9",
        "",
        f"All {len(files)} neurons of NESTML's library to NEST's C++, code generation only, in turns of",
        f"{size} files, each with one call of either tool.",
        "",
        "| | CPU, s | for one model, s | largest memory, MB |",
        "|---|---|---|---|",
        f"| `interspike migrate --to nest` | {ours:.2f} | {ours / len(files):.3f} "
        f"| {max(row[0][1] for row in rows):.0f} |",
        f"| NESTML 9 | {theirs:.1f} | {theirs / len(files):.2f} "
        f"| {max(row[1][1] for row in rows):.0f} |",
        "",
        f"NESTML needs {theirs / ours:.0f} times the CPU ({min(ratios):.0f} to {max(ratios):.0f} by turn). "
        f"In one call, `migrate` takes {whole:.2f} s for all",
        f"neurons, {theirs / whole:.0f} times less than NESTML's sum, and {library_cpu:.1f} s for the whole "
        "library with its synapses.",
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
        for path in _small_set(library):
            place = source / path.parent.name
            place.mkdir(exist_ok=True)
            shutil.copyfile(path, place / path.name)
        (source / "CITATION.cff").write_text("cff-version: 1.2.0\n")
        targets = [word for to in ("nest", "lems", "spinnaker2") for word in ("--to", to)]
        command = [sys.executable, "-P", "-m", "interspike", "migrate", str(source), *targets]
        once([*_forgiving(), *command, "-o", str(out)])
        lines.append(
            f"{len(_small_set(library))} models: neurons and synapses of NESTML's library and"
        )
        lines += ["two networks of ours.", ""]
        lines.append(f"* LEMS, in jNeuroML: {_in_jneuroml(out / 'lems')}")
        made = _in_nest(out / "nest")
        lines.append(f"* NEST, one module, built, loaded and each of its models created: {made}")
        made = _in_python(out / "spinnaker2")
        lines.append(
            "* PyNN classes, imported and instantiated with a stand-in for py-spinnaker2: " + made
        )
        cited = "CITATION.cff" in (out / "CITATION.md").read_text()
        lines.append(
            f"* `CITATION.md` names the source's own citation file: {'yes' if cited else 'no'}"
        )
    return lines


def _small_set(library: Path) -> list[Path]:
    names = ("izhikevich_neuron", "iaf_psc_exp_neuron", "iaf_cond_alpha_neuron")
    own = [ROOT / "fixtures/lems" / name for name in ("iaf.xml", "izhikevich_network.xml")]
    synapse = library / "synapses/static_synapse.nestml"
    return [*(library / f"neurons/{name}.nestml" for name in names), synapse, *own]


def _in_jneuroml(place: Path) -> str:
    jar = jneuroml()
    if jar is None or shutil.which("java") is None:
        return "jNeuroML is not installed here"
    said = [_read_whole(place, path.name, jar) for path in sorted(place.glob("index*.xml"))]
    return "; ".join(said)


def _read_whole(place: Path, index: str, jar: Path) -> str:
    """A run of nothing reads and resolves every type and component."""
    trial = place / "trial.xml"
    trial.write_text(
        f'<Lems><Target component="s"/><Include file="{index}"/><Include file="Simulation.xml"/>'
        '<Include file="Networks.xml"/><network id="none"/>'
        '<Simulation id="s" length="1ms" step="0.1ms" target="none"/></Lems>'
    )
    command = ["java", "-Djava.awt.headless=true", "-jar", str(jar), "trial.xml", "-nogui"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode or "ERROR" in said:
        return said.strip()[-200:]
    return f"`{index}` read whole, {(place / index).read_text().count('<Include')} files"


_CREATE = """
import json, nest
nest.Install("interspike_models_module")
names = json.load(open("models.json"))
made = 0
for name in names:
    if name in nest.node_models:
        nest.Create(name)
    else:
        ends = nest.Create("parrot_neuron", 2)
        nest.Connect(ends[0], ends[1], syn_spec={"synapse_model": name})
    made += 1
nest.Simulate(10.0)
print("made", made, "of", len(names))
"""


def _in_nest(place: Path) -> str:
    flags = f"-DNEST_PYTHON={sys.executable}"
    for command in (["cmake", "-S", ".", "-B", "build", flags], ["cmake", "--build", "build"]):
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stdout + done.stderr).strip()[-200:]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CREATE], capture_output=True, text=True, check=False, cwd=place,
        env={**os.environ, "LD_LIBRARY_PATH": str(place / "build")},
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if line.startswith("made")]
    return f"{said[0].removeprefix('made ')} models" if said else done.stderr.strip()[-200:]


def _in_python(place: Path) -> str:
    code = "import interspike_cells as c\nprint(sum(bool(getattr(c, n)()) for n in c.CLASSES), 'classes')"
    stand_in = ROOT / "tests/spinnaker2/fake"
    paths = os.pathsep.join([str(place), str(stand_in), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    return done.stdout.strip() or (done.stderr.strip().splitlines() or ["nothing"])[-1]


if __name__ == "__main__":
    main()
