"""Rate and memory of `interspike migrate` over many generated variants of one model.

    python benchmarks/bench_migrate.py [--count 2000] [--to spinnaker2] [--jobs 1]

Prints models a second in each tenth of the run and the largest memory of the calling process and of the
worker with its children. A rate that falls, or memory that grows with the count, shows a leak.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from interspike.app.migrate.options import Options
from interspike.app.migrate.run import Progress, migrate

SOURCE = Path(__file__).resolve().parents[1] / "fixtures/lems/izhikevich_network.xml"


def variants(folder: Path, count: int) -> None:
    """`count` models that differ in one value, fifty to a folder."""
    text = SOURCE.read_text()
    for k in range(count):
        place = folder / f"set_{k // 50:04}"
        place.mkdir(parents=True, exist_ok=True)
        changed = text.replace('"150 pF"', f'"{100 + k} pF"')
        (place / f"model_{k:05}.xml").write_text(changed)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--to", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        variants(place / "source", arguments.count)
        options = Options(
            source=place / "source", output=place / "out",
            targets=tuple(arguments.to or ["spinnaker2"]), jobs=arguments.jobs,
        )  # fmt: skip
        moments: list[float] = []

        def note(progress: Progress) -> None:
            moments.append(progress.elapsed)

        start = time.monotonic()
        summary = migrate(options, on_progress=note)
        print(f"{arguments.count} models in {time.monotonic() - start:.1f} s: {summary.to_json()}")
        tenth = max(1, len(moments) // 10)
        for k in range(0, len(moments) - tenth + 1, tenth):
            begin = moments[k - 1] if k else 0.0
            rate = tenth / (moments[k + tenth - 1] - begin)
            print(f"  models {k + 1:5} to {k + tenth:5}: {rate:6.1f} a second")
    ours = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"largest memory: caller {ours.ru_maxrss / 1024:.0f} MB, worker {theirs.ru_maxrss / 1024:.0f} MB"
    )
    print(f"CPU: caller {ours.ru_utime + ours.ru_stime:.1f} s, "
          f"worker {theirs.ru_utime + theirs.ru_stime:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
