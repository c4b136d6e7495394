"""Reading NESTML: one model in a cold process, the whole library of NESTML 9, and files of up to 1 MB.

Reading is all up to the checked canonical component: lines, syntax, names, types and units, lowering. The
library is measured where NESTML is installed; then NESTML's own parsing and checking (its target NONE, no
code written) of one model runs beside ours, each in a process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from pathlib import Path

from measure import best

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures/nestml/adaptive_lif_neuron.nestml"
OURS = """
import sys
from pathlib import Path
from interspike.canonical_model.diagnostics import Log
from interspike.canonical_model.verify import verify_model
from interspike.importers.nestml.reader import read
for name in sys.argv[1:]:
    assert not verify_model(read(Path(name), log=Log()))
"""
PEER = """
import sys
from pynestml.frontend.pynestml_frontend import generate_target
generate_target(input_path=sys.argv[1], target_platform="NONE", target_path=sys.argv[2],
                logging_level="ERROR")
"""


def main() -> None:
    """Measure and print a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=3, help="runs of which the best counts")
    times = options.parse_args().times
    print("| work | CPU s |\n|---|---|")
    cold = best([sys.executable, "-P", "-c", OURS, str(FIXTURE)], times=times)
    print(f"| read and verify one neuron, cold process | {cold.cpu:.2f} |")
    if importlib.util.find_spec("pynestml") is not None:
        _library(times)
    for copies in (10, 100, 500):
        size, seconds = _repeated(copies)
        print(f"| read {size / 1e6:.2f} MB ({copies} models) | {seconds:.2f} |")


def _library(times: int) -> None:
    """The models that NESTML brings, all in one process, and one of them beside NESTML itself."""
    models = sorted(Path(sys.prefix, "models").glob("*/*.nestml"))
    command = [sys.executable, "-P", "-c", OURS]
    every = best([*command, *map(str, models)], times=times)
    print(
        f"| read and verify the {len(models)} models of NESTML 9, one process | {every.cpu:.2f} |"
    )
    one = next(path for path in models if path.stem == "iaf_psc_exp_neuron")
    print(f"| `{one.stem}`, cold process | {best([*command, str(one)], times=times).cpu:.2f} |")
    with tempfile.TemporaryDirectory() as folder:
        peer = best([sys.executable, "-P", "-c", PEER, str(one), folder], times=1)
    print(f"| the same by NESTML 9, parsed and checked only | {peer.cpu:.2f} |")


def _repeated(copies: int) -> tuple[int, float]:
    """Size in bytes and CPU time of a file of many models, in this process."""
    from interspike.canonical_model.diagnostics import Log
    from interspike.importers.nestml.reader import read

    text = FIXTURE.read_text(encoding="utf-8")
    whole = "\n".join(
        text.replace("model adaptive_lif_neuron:", f"model m{index}:") for index in range(copies)
    )
    start = time.process_time()
    read(None, whole.encode(), file="repeated", log=Log())
    return len(whole), time.process_time() - start


if __name__ == "__main__":
    main()
