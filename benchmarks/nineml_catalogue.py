"""Makes docs/nineml.md: `python benchmarks/nineml_catalogue.py MODELS NESTML [PAGE [NEURON ...]]`.

MODELS is a folder with NineML files (the catalogue), NESTML the folder of NESTML 9's neurons. It takes
minutes of CPU.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nestml_drives import DRIVES
from nestml_trial import Drive, H, on_grid
from nineml_round import compare, trip

HEAD = """# NineML

Made by `python benchmarks/nineml_catalogue.py MODELS NESTML docs/nineml.md`, where MODELS holds the
NineML catalogue and NESTML the neurons of NESTML 9's library.

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
  lasts n steps. LEMS, NESTML and others keep their levels.
* **The regime at the start** is the option `regime`, else that of our annotation, else the one with most
  derivatives (note X130).
* **Offsets of units** (degC) are ignored, as in the reference library; `offsets=apply` applies them.
* HDF5 is not read.

"""


def catalogue(folder: Path) -> Iterator[str]:
    """A row for each component that can run alone."""
    from interspike.canonical_model.compare import differences
    from interspike.canonical_model.diagnostics import Log
    from interspike.importers.nineml.reader import read

    yield "| file | component | YAML, XML, JSON | spikes | NESTML | NEST | SpiNNaker2 |"
    yield "|---|---|---|---|---|---|---|"
    for path in sorted(folder.glob("catalog/**/*.xml")):
        model = read(path, None, log=Log())
        if model.network is not None:
            continue
        for component in model.components:
            again = [_back(model, form) for form in ("yml", "xml", "json")]
            same = not any(differences(component, m.component(component.name)) for m in again)
            if not component.event_outputs or any(p.value is None for p in component.parameters):
                row = ["", "", "", ""]
            else:
                row = list(_runs(path, component))
            cells = " | ".join(row)
            yield f"| {path.name} | {component.name} | {'equal' if same else 'differ'} | {cells} |"


def _back(model: Any, form: str) -> Any:
    from interspike.canonical_model.diagnostics import Log
    from interspike.canonical_model.model import Provenance
    from interspike.exporters.nineml.emit import export_json, export_xml, export_yaml
    from interspike.importers.nineml.reader import read

    write = {"yml": export_yaml, "xml": export_xml, "json": export_json}[form]
    (text,) = write(model, scheme="auto", step=1e-4, source=Provenance(), log=Log(), name="m")
    return read(None, text.data, file=text.path, log=Log(), options={"strict": "yes"})


def _runs(path: Path, component: Any) -> Iterator[str]:
    """Spikes on the grid, the same of the NESTML that is written, and what the other targets say."""
    from dataclasses import replace

    from interspike.app.convert import convert
    from interspike.canonical_model.diagnostics import Log, ModelError
    from interspike.canonical_model.model import Model, Provenance
    from interspike.exporters.nestml.emit import export
    from interspike.importers.nestml.reader import read

    drive = Drive(20.0 if "zhikevich" in component.name else 500.0, 1.0)
    quiet = replace(component, event_inputs=(), on_events=())
    model = Model(name="m", components=(quiet,))
    wanted = on_grid(_named(quiet), drive)
    yield str(len(wanted.spikes))
    try:
        files = export(
            model, scheme="auto", step=H * 1e-3, source=Provenance(), log=Log(), name="m"
        )
        (text,) = [item for item in files if item.path.endswith(".nestml")]
        found = on_grid(read(None, text.data, file=text.path, log=Log()).components[0], drive)
        yield "same spikes" if compare(wanted, found)[1] else f"{len(found.spikes)} spikes"
    except ModelError as problem:
        yield problem.issues[0].code
    for target in ("nest", "spinnaker2"):
        try:
            with tempfile.TemporaryDirectory():
                convert(path, to=target, component=component.name)
            yield "written"
        except ModelError as problem:
            yield problem.issues[0].code


def _named(component: Any) -> Any:
    """The component with its output called `spike`, as the trial expects."""
    from dataclasses import replace

    from interspike.canonical_model.model import Emit
    from interspike.canonical_model.passes.change import change_bodies

    (port,) = component.event_outputs[:1]

    def body(items: Any) -> Any:
        return tuple(replace(i, port="spike") if isinstance(i, Emit) else i for i in items)

    return replace(change_bodies(component, body), event_outputs=(replace(port, name="spike"),))


def there_and_back(folder: Path, chosen: list[str]) -> Iterator[str]:
    """A row for each neuron of NESTML's library, or for those chosen."""
    from interspike.canonical_model.diagnostics import ModelError

    yield "| neuron | spikes | when back | largest deviation of a state |"
    yield "|---|---|---|---|"
    for path in sorted(folder.glob("*.nestml")):
        if path.stem not in DRIVES or (chosen and path.stem.removesuffix("_neuron") not in chosen):
            continue
        name = path.stem.removesuffix("_neuron")
        try:
            found = trip(path)
        except ModelError as problem:
            issue = problem.issues[0]
            line = issue.span.line if issue.span else ""
            yield f"| {name} | | refused, {issue.code}, line {line} | {issue.message} |"
            continue
        verdict = "the same" if found.same else "differ"
        yield f"| {name} | {found.spikes} | {verdict} | {found.worst:.1e} |"


def abilities() -> Iterator[str]:
    """What the exporter's table says it cannot hold whole."""
    from interspike.canonical_model.abilities import FEATURES
    from interspike.exporters.nineml.format import FORMAT

    yield "| ability | how far | |"
    yield "|---|---|---|"
    for name, item in FORMAT.abilities.items():
        yield f"| {FEATURES[name]} | {item.support.value} | {item.note} |"


def main() -> None:
    """The page, to a file or to the terminal."""
    models, nestml = Path(sys.argv[1]), Path(sys.argv[2])
    parts = [
        HEAD,
        "## What NineML can hold\n\nThe exporter's own table.\n",
        *abilities(),
        "\n## The catalogue\n\nEach component written and read again, then under a constant current "
        "(20 pA for Izhikevich, else 500 pA) from 10 to 160 ms on a grid of 0.1 ms; "
        "the NESTML that is written, read again.\n",
        *catalogue(models),
        "\n## NESTML 9's neurons to NineML and back\n\nThe grid simulation (0.1 ms, 200 ms, current and "
        "spikes as in nestml_agreement.md) of each model as it is, and after it was "
        "written as NineML, read, written as NESTML and read.\n",
        *there_and_back(nestml, sys.argv[4:]),
    ]  # fmt: skip
    text = "\n".join(parts) + "\n"
    if len(sys.argv) > 3:
        Path(sys.argv[3]).write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
