"""Makes docs/nineml.md: `python benchmarks/nineml_catalogue.py MODELS NESTML PAGE --work DIR`.

MODELS is a folder with NineML files (catalogue, authored, multi, traces), NESTML the folder of NESTML 9's
neurons. Each model's row is kept in the work folder, so that a run that was stopped goes on where it was;
rows of another version of the program are measured anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nestml_drives import DRIVES
from nineml_brunel import rows as brunel_rows
from nineml_rows import ENGINES, engine_cell, form_row, round_row, trace_row, with_values

LENGTH = 200.0  # ms of Brunel's network
ROOT = Path(__file__).resolve().parents[1]
HEAD = """# NineML

Made by `python benchmarks/nineml_catalogue.py MODELS NESTML docs/nineml.md --work DIR`, where MODELS holds
the NineML catalogue with stored runs and NESTML the neurons of NESTML 9's library.

## Decisions that NineML leaves open

* **Connection rules** stay rules: all-to-all, one-to-one, probabilistic, random fan in and out, with
  distributions for delays and values. They are drawn where somebody needs the connections, in one place
  (`canonical_model/draw.py`). What is drawn depends on the seed (option `seed`, default 1, kept in an
  annotation where it is another), the name of the projection and the rule alone: simulator, SpiNNaker2,
  LEMS and NEST get the same connections. Random rules of more than 1,000,000 connections are left to
  NEST's own rule in PyNEST scripts, with NEST's generator (note B215). More than 100,000,000 connections
  are refused (W213), as are more than 2,000,000 listed in a file.
* **Triggers** fire when they become true. What holds already when a regime is entered, or at the start,
  has to be false first (`OnCondition.rising`). Engines that test in every step get the same: where an
  interval analysis does not show that level and edge are the same, a state `armed1` is added
  (`canonical_model/passes/arming.py`). A time or a timer counts at the moment itself: a pause of n steps
  lasts n steps. The way back: what LEMS, NESTML and others test as long as it holds is written with the
  time of entry beside it, `v > threshold && t > entered`, where the analysis does not show that it is false
  on entry, at the start and after its own body (`canonical_model/passes/edging.py`).
* **Poisson sources** (wait until `t > next`, send, draw the next time) send all events that are due in a
  step of a grid, so that their rate is right above one event a step too; in NESTML they send one.
* **Multi-dynamics** are flat in the canonical model, which remembers its parts: written as NineML they are
  multi-dynamics again (with values: `MultiDynamicsProperties`), a response and its plasticity are apart
  again. What was changed since is written flat.
* **Regimes of parts** stay apart: two parts that reach their thresholds at one moment both act. Only where
  a part hears another's events in some of its regimes do they become combinations of regimes, as in the
  reference library.
* **Two events at one moment** are heard one after another: the second in the regime to which the first led.
* **The regime at the start** is the option `regime`, else that of our annotation, else the one with most
  derivatives (note X130).
* **Offsets of units** (degC) are ignored, as in the reference library; `offsets=apply` applies them.
* HDF5 is not read.

"""
ABILITIES = """## What NineML has no word for

Printed from the exporter's ability table, which its refusals and the tests read too.
"""
TRACES = """
## Continuous time

Stored runs of high accuracy (DOP853 and Radau agree to 1e-7 ms) beside the reference simulator in
continuous mode: number of spikes, and the worst deviation of a spike's time.
"""
BRUNEL = """
## Brunel's network at full size

The catalogue's network (Brunel 2000, asynchronous irregular; 12,500 cells with 1,250 connections each, a
Poisson source of 52.6 kHz for each) converted, built and run in NEST for {length:g} ms, beside the same of
NEST's `iaf_psc_alpha` and `poisson_generator` (`benchmarks/nineml_brunel.py`): mean rate, and mean
coefficient of variation of intervals, without the first 50 ms.

| population | cells | rate, Hz | of NEST's own | variation | of NEST's own |
|---|---|---|---|---|---|"""
CATALOGUE = """
## The catalogue

Each component written as YAML, XML and JSON and read again, strictly: equal by meaning? Then `verify` to
each target: the component alone on a grid of 0.1 ms for 150 ms, currents of four strengths from 20 to
120 ms, ten times or more the usual ones where it does not fire with those, and spikes at each of its event
inputs. In brackets: events of the source, of the result if it has another number, their largest distance;
without events, how far states and outputs are apart at most, as a share of their range.
*at all points*: equations, conditions and events agree at random
points, one run confirms. *until*: later the source itself runs elsewhere when its numbers are rounded to
single precision. Parameters without a value get one of the usual size. NESTML is read back, NEST is 3.10,
SpiNNaker2 the emulator.
"""
NEURONS = """
## NESTML 9's neurons to NineML and back

The grid simulation (0.1 ms, 200 ms, current and spikes as in nestml_agreement.md) of each model as it is,
and after it was written as NineML, read, written as NESTML and read: spikes, and the largest deviation of a
state relative to its size.
"""


def version() -> str:
    """A digest of the program's own source."""
    found = hashlib.sha256()
    for folder in (
        "app",
        "canonical_model",
        "exporters",
        "importers",
        "solvers",
        "spinnaker2",
        "nest",
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


class Store:
    """Rows by key, in one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.version = folder, version()
        folder.mkdir(parents=True, exist_ok=True)

    def row(self, key: str, measure: Callable[[], Any]) -> Any:
        """The known row, or a new one."""
        path = self.folder / f"{key.replace('/', '_')}.json"
        if path.exists():
            known = json.loads(path.read_text())
            if known["version"] == self.version:
                return known["row"]
        row = measure()
        path.write_text(json.dumps({"version": self.version, "row": row}))
        print(key, row, flush=True)
        return row


def table(*heads: str) -> str:
    """The first two lines of a table."""
    return f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|"


def line(row: list[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(row)} |"


def traces(models: Path, store: Store) -> Iterator[str]:
    """A row for each stored run."""
    yield table("file", "component", "stimulus", "spikes", "worst deviation, ms")
    for path in sorted(models.glob("traces/*.json")):
        yield line(store.row(f"trace {path.name}", lambda path=path: trace_row(path, models)))


def catalogue(models: Path, store: Store) -> Iterator[str]:
    """A row for each component; one that another file holds too has one row."""
    from interspike.canonical_model.compare import differences
    from interspike.canonical_model.diagnostics import Log
    from interspike.importers.nineml.reader import read

    yield table("file", "component", "YAML, XML, JSON", *ENGINES)
    seen: list[Any] = []
    for pattern in ("catalog/*/*.xml", "authored/*.yml", "multi/*_v1.yml"):
        for path in sorted(models.glob(pattern)):
            model = read(path, None, log=Log())
            if model.network is not None or "binary" in path.name:
                continue
            for item in model.components:
                if any(not differences(item, other) for other in seen):
                    continue
                seen.append(item)
                key = f"{path.name} {item.name}"
                filled = with_values(item)
                row = [path.name, item.name]
                row.append(store.row(f"{key} forms", lambda m=model, c=item: form_row(m, c)))
                for target in ENGINES:
                    row.append(
                        store.row(
                            f"{key} {target}",
                            lambda m=model, c=filled, t=target: engine_cell(m, c, t),
                        )
                    )
                yield line(row)


def there_and_back(folder: Path, store: Store) -> Iterator[str]:
    """A row for each neuron of NESTML's library."""
    yield table("neuron", "spikes", "when back", "largest deviation of a state, or why refused")
    for path in sorted(folder.glob("*.nestml")):
        if path.stem in DRIVES:
            yield line(store.row(f"round {path.stem}", lambda path=path: round_row(path)))


def brunel(model: Path, store: Store, work: Path) -> Iterator[str]:
    """A row for each population."""
    for row in store.row("brunel", lambda: brunel_rows(model, work, LENGTH)):
        yield line(row)


def abilities() -> Iterator[str]:
    """What the exporter's table says it cannot hold whole."""
    from interspike.canonical_model.abilities import FEATURES, Support
    from interspike.exporters.nineml.format import FORMAT

    yield table("construct", "how far", "")
    for name, item in FORMAT.abilities.items():
        if item.support is not Support.FULL:
            word = {"none": "refused", "lossy": "in part"}[item.support.value]
            yield f"| {FEATURES[name]} | {word} | {item.note} |"


def main() -> None:
    """Measure, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("nestml", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    store = Store(arguments.work)
    parts = [HEAD + ABILITIES, *abilities(), TRACES, *traces(arguments.models, store)]
    model = arguments.models / "catalog/network/Brunel2000/AI.yml"
    parts += [BRUNEL.format(length=LENGTH), *brunel(model, store, arguments.work)]
    parts += [NEURONS, *there_and_back(arguments.nestml, store)]
    parts += [CATALOGUE, *catalogue(arguments.models, store)]
    arguments.page.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
