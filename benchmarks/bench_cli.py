"""What a user waits for: start of the command line, and a cold conversion beside jNeuroML's export.

Every run is a process of its own. Prints a Markdown table; peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from measure import best, jneuroml

MODEL = Path(__file__).resolve().parents[1] / "fixtures/lems/izhikevich_network.xml"
INTERSPIKE = [sys.executable, "-P", "-m", "interspike"]
# jNeuroML's flag -> what it writes
EXPORTS = {"-neuron": "NEURON", "-netpyne": "NetPyNE", "-nineml": "NineML", "-spineml": "SpineML"}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=5, help="runs of which the best counts")
    times = options.parse_args().times
    rows = [
        ("bare Python", best([sys.executable, "-c", "pass"], times=times).cpu),
        *(
            (f"`interspike {name}`", best([*INTERSPIKE, name], times=times).cpu)
            for name in ("--help", "formats")
        ),
    ]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copy(MODEL, folder)
        command = [*INTERSPIKE, "convert", MODEL.name, "--to", "spinnaker2"]
        ours = best(command, folder, times).cpu
        rows.append(("`interspike convert --to spinnaker2`", ours))
        rows += peers(folder, max(1, times // 2))
    print("| command | CPU s | relative to our convert |\n|---|---|---|")
    for name, cpu in rows:
        print(f"| {name} | {cpu:.3f} | {cpu / ours:.2f} |")


def peers(folder: Path, times: int) -> list[tuple[str, float]]:
    """jNeuroML's exports of the same file, if Java and pyNeuroML are here."""
    jar = jneuroml()
    if jar is None or shutil.which("java") is None:
        return []
    rows = []
    for flag, target in EXPORTS.items():
        command = ["java", "-Xmx400m", "-jar", str(jar), MODEL.name, flag]
        try:
            rows.append((f"jNeuroML to {target}", best(command, folder, times).cpu))
        except RuntimeError as problem:
            print(f"jNeuroML {flag} fails: {str(problem)[-80:]}", file=sys.stderr)
    return rows


if __name__ == "__main__":
    main()
