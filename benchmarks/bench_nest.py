"""Speed and size in NEST: our modules, NESTML 9's, NEST's own models. Writes `docs/nest_speed.md`.

CPU time of `Simulate` for unconnected neurons under Poisson input or a constant current: the three sides run
in turn in one process, several times; ratios are medians over the rounds. Then the memory that a neuron
takes, and what generating and building a module costs. NESTML 9's modules are kept in a cache folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import nestml_peer as peer
from interspike.nest import build as building
from measure import best, once

PAGE = Path(__file__).resolve().parents[1] / "docs" / "nest_speed.md"
SUFFIX = "_nestml9"
# what `nest-config --cflags` of the wheel asks NESTML's build to use
THEIR_FLAGS = ("-O2", "-O3", "-DNDEBUG", "-std=c++20", "-fopenmp", "-fPIC", "-w")
SIDES = ("ours", "nestml", "twin")


@dataclass(frozen=True, slots=True)
class Case:
    """A model of NESTML's library and NEST's: weight of the Poisson spikes, constant current, tolerances
    (absolute, relative) as NEST has them, parameters of the twin, biological time of a run in ms."""

    name: str
    weight: float
    current: float
    limits: tuple[float, float] | None
    own: tuple[tuple[str, float], ...] = ()
    length: float = 50.0
    solver: str = "auto"
    options: tuple[tuple[str, str], ...] = ()


CASES = (
    Case("iaf_psc_exp", 45.0, 650.0, None),
    Case("iaf_psc_alpha", 17.0, 650.0, None),
    Case("iaf_cond_exp", 8.0, 600.0, (1e-3, 0.0)),
    Case("aeif_cond_exp", 20.0, 800.0, (1e-6, 0.0), (("t_ref", 2.0),)),
    Case("hh_psc_alpha", 250.0, 700.0, (1e-3, 0.0)),
    Case("izhikevich", 1.5, 8.0, None),
    Case(
        "izhikevich", 1.5, 8.0, None, solver="euler",
        options=(("numeric_solver", "forward-Euler"),),
    ),
)  # fmt: skip

RUN = """
import json, sys, time
import nest
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
found = {side: [] for side in job["sides"]}
spikes = {}
def once(side):
    given = job["sides"][side]
    nest.ResetKernel()
    if given["module"]:
        nest.Install(given["module"])
    known = nest.GetDefaults(given["model"])
    values = {k: v for k, v in given["values"].items() if k in known}
    if job["drive"] == "dc":
        values["I_e"] = job["current"]
    cells = nest.Create(given["model"], job["size"], params=values)
    if job["drive"] == "poisson":
        source = nest.Create("poisson_generator", params={"rate": 4000.0})
        nest.Connect(source, cells, syn_spec={"weight": job["weight"], "delay": 0.1})
    nest.Simulate(2.0)
    before = nest.GetKernelStatus()["local_spike_counter"]
    start = time.process_time()
    nest.Simulate(job["length"])
    found[side].append(time.process_time() - start)
    spikes[side] = nest.GetKernelStatus()["local_spike_counter"] - before
for _ in range(job["rounds"]):
    for side in job["sides"]:
        once(side)
print("RESULT " + json.dumps({"seconds": found, "spikes": spikes}))
"""

SIZE = """
import json, sys
import nest
job = json.loads(sys.argv[1])
nest.verbosity = nest.VerbosityLevel.ERROR
if job["module"]:
    nest.Install(job["module"])
def resident():
    text = open("/proc/self/status").read()
    return int(text[text.index("VmRSS:") + 6:].split()[0]) * 1024
sizes = []
for _ in range(2):
    nest.Create(job["model"], job["size"])
    nest.Simulate(1.0)
    sizes.append(resident())
print("RESULT " + json.dumps((sizes[1] - sizes[0]) / job["size"]))
"""


def main() -> None:
    """Build, measure, write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, default=Path("nestml9-modules"))
    options.add_argument("--library", type=Path, default=Path(sys.prefix, "models", "neurons"))
    options.add_argument("--size", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", nargs="*", default=[], help="models; then no page is written")
    arguments = options.parse_args()
    why = peer.missing()
    if why:
        raise SystemExit(why)
    cases = [case for case in CASES if not arguments.only or case.name in arguments.only]
    speed: list[str] = []
    memory: list[str] = []
    costs: list[str] = []
    start = best([sys.executable, "-P", "-c", peer.GENERATE.split("job =")[0]], times=3).cpu
    for case in cases:
        path = arguments.library / f"{case.name}_neuron.nestml"
        modules, row = _build(case, path, arguments.cache, start)
        costs += [] if case.solver == "euler" else [row]
        found = _speed(case, modules, arguments.size, arguments.rounds)
        speed += found
        if case.solver != "euler":
            memory.append(_memory(case, modules))
        print(*found, *memory[-1:], *costs[-1:], sep="\n", flush=True)
    if not arguments.only:
        text = HEAD.format(size=arguments.size, rounds=arguments.rounds)
        tables = (speed, MEMORY, memory, COSTS, costs)
        PAGE.write_text(
            text + "\n".join(t if isinstance(t, str) else "\n".join(t) for t in tables) + "\n"
        )


def _build(case: Case, path: Path, cache: Path, start: float) -> tuple[dict[str, Path], str]:
    """Modules by side, and a row of what they cost. NESTML's is compiled as its own build does it."""
    from interspike.app.convert import convert
    from interspike.nest.load import prepare

    name = path.stem if case.solver != "euler" else f"{path.stem}_euler"
    theirs = peer.make([path], cache, name, SUFFIX, dict(case.options))
    ours = prepare(path, solver=case.solver, cache=cache / "ours")
    fast = cache / "speed" / f"{name}module.so"
    record = fast.with_suffix(".json")
    if not record.is_file():
        fast.parent.mkdir(parents=True, exist_ok=True)
        built = once(
            building.command(ours.folder, ours.file.stem, cache / "trial.so"), ours.folder
        ).cpu
        record.write_text(json.dumps([_compile(theirs.file.parent, fast), built]))
    again, built = json.loads(record.read_text())
    spent = 0.0
    for _ in range(2):
        begin = time.process_time()
        convert(path, to="nest", solver=case.solver)
        spent = time.process_time() - begin
    command = [sys.executable, "-P", "-m", "interspike", "convert", str(path), "--to", "nest"]
    cold = best([*command, "-o", str(cache / "cold")], times=3).cpu
    theirs_cold = theirs.generated.cpu if theirs.generated else float("nan")
    warm = theirs_cold - start
    row = (
        f"| {case.name} | {warm:.1f} | {spent:.3f} | {warm / spent:.0f} | {theirs_cold:.1f} "
        f"| {cold:.2f} | {theirs_cold / cold:.0f} | {again:.1f} | {built:.1f} | {built / again:.2f} |"
    )
    return {"ours": ours.file, "nestml": fast}, row


def _compile(folder: Path, output: Path) -> float:
    """CPU seconds of NESTML's two units and their link."""
    nest = building.find_nest()
    compiler = building.find_compiler()
    flags = [*THEIR_FLAGS, *([] if nest.new_strings else ["-D_GLIBCXX_USE_CXX11_ABI=0"])]
    spent, objects = 0.0, []
    for unit in sorted(folder.glob("*.cpp")):
        target = folder / f"{unit.stem}.o"
        command = [
            *compiler,
            *flags,
            "-I.",
            f"-I{nest.include}",
            "-c",
            str(unit),
            "-o",
            str(target),
        ]
        spent += once(command, folder).cpu
        objects.append(target)
    spent += once([*compiler, "-shared", *map(str, objects), "-o", str(output)], folder).cpu
    for target in objects:
        target.unlink()
    return spent


def _sides(case: Case, modules: dict[str, Path], matched: bool) -> dict[str, Any]:
    limits: dict[str, float] = {}
    if matched and case.limits:
        limits = dict(zip(("gsl_abs_error_tol", "gsl_rel_error_tol"), case.limits, strict=True))
    names = {"ours": f"{case.name}_neuron", "nestml": f"{case.name}_neuron{SUFFIX}"}
    sides: dict[str, Any] = {
        side: {"module": str(modules[side].with_suffix("")), "model": name, "values": limits}
        for side, name in names.items()
    }
    sides["twin"] = {"module": "", "model": case.name, "values": dict(case.own)}
    return sides


def _result(script: str, job: object) -> Any:
    command = [sys.executable, "-P", "-c", script, json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise RuntimeError((done.stderr or done.stdout).strip()[-800:])
    return json.loads(lines[-1].removeprefix("RESULT "))


def _speed(case: Case, modules: dict[str, Path], size: int, rounds: int) -> list[str]:
    """Rows: by drive, at the default tolerances and at the twin's."""
    rows = []
    for matched in [False, True] if case.limits else [False]:
        for drive in ("poisson", "dc"):
            job = {
                "sides": _sides(case, modules, matched),
                "drive": drive,
                "size": size,
                "length": case.length,
                "rounds": rounds,
                "weight": case.weight,
                "current": case.current,
            }
            found = _result(RUN, job)
            seconds, spikes = found["seconds"], found["spikes"]
            ratio = {
                side: median(a / b for a, b in zip(seconds["ours"], seconds[side], strict=True))
                for side in ("nestml", "twin")
            }
            peer_ratio = median(
                a / b for a, b in zip(seconds["nestml"], seconds["twin"], strict=True)
            )
            steps = size * case.length * 10
            times = " | ".join(f"{median(seconds[side]) / steps * 1e9:.0f}" for side in SIDES)
            rate = " / ".join(f"{spikes[s] / size / case.length * 1e3:.0f}" for s in SIDES)
            rows.append(
                f"| {case.name} | {_method(case, matched)} | {drive} | {times} | {ratio['twin']:.2f} "
                f"| {ratio['nestml']:.2f} | {peer_ratio:.2f} | {rate} |"
            )
    return rows


def _method(case: Case, matched: bool) -> str:
    if case.name in ("iaf_psc_exp", "iaf_psc_alpha"):
        return "exact"
    if case.solver == "euler":
        return "forward Euler on all sides"
    if case.limits is None:
        return "adaptive; NEST's is forward Euler"
    absolute, relative = case.limits
    if matched:
        return f"adaptive, {absolute:g} and {relative:g} on all sides"
    return f"adaptive, 1e-6 and 1e-6; NEST's {absolute:g} and {relative:g}"


def _memory(case: Case, modules: dict[str, Path]) -> str:
    """A row: bytes a neuron by side."""
    found = {}
    for side, given in _sides(case, modules, False).items():
        job = {"module": given["module"], "model": given["model"], "size": 20_000}
        found[side] = _result(SIZE, job)
    cells = " | ".join(f"{found[side]:.0f}" for side in SIDES)
    return f"| {case.name} | {cells} | {found['ours'] / found['twin']:.2f} |"


HEAD = """# Speed in NEST

Written by `python benchmarks/bench_nest.py`. Ours, NESTML 9's module (compiled with the flags that NEST's
`nest-config` gives it), NEST's hand-written model; {size} unconnected neurons, steps of 0.1 ms, one thread;
"poisson": one generator, 4 kHz to every neuron; "dc": a constant current. The three run in turn in one
process, {rounds} rounds of 50 ms of biological time after 2 ms; ratios are medians over the rounds of
CPU time of `Simulate`.

Methods: tolerances are absolute and relative. Ours and NESTML 9's have 1e-6 and 1e-6 where nothing is set.
The method is the same there, adaptive Runge-Kutta-Fehlberg 4(5); ours follows states with an exact solution
(conductances, synaptic currents) by tabulated propagators at every stage, so that they cost no error and
force no short steps, shares exponentials of commensurate slopes, and takes steps of 2^-n of the resolution.

| model | method | drive | ours, ns a neuron and step | NESTML 9 | NEST | ours / NEST \
| ours / NESTML 9 | NESTML 9 / NEST | spikes/s, ours / NESTML 9 / NEST |
|---|---|---|---|---|---|---|---|---|---|
"""
MEMORY = """
The one ratio above 1 is izhikevich with the adaptive solver that its text means, against NEST's forward
Euler: six evaluations of the rates against one. With `--solver euler` the methods are the same.

## Memory

Bytes a neuron: growth of the resident size from 20,000 to 40,000 neurons with equal parameters, after a run.
Neurons whose parameters differ hold their own values of what is shared otherwise.

| model | ours | NESTML 9 | NEST | ours / NEST |
|---|---|---|---|---|"""
COSTS = """
## Generating and building

CPU seconds. "warm": from the file to C++ without start of Python and imports; "cold": a process of its own.
NESTML 9's generation was measured when its module was made (it is kept). Building: the compiler calls, one
after the other when the modules were made.

| model | NESTML 9, warm | ours, warm | times less | NESTML 9, cold | ours, cold | times less \
| NESTML 9, build | ours, build | ours / NESTML 9 |
|---|---|---|---|---|---|---|---|---|---|"""


if __name__ == "__main__":
    main()
