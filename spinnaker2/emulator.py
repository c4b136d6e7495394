"""Build and run an exported program: on this computer, or under QEMU's Cortex-M4F.

Both run the same sources and give the same bits.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..canonical_model.diagnostics import ModelError, error, refuse
from . import machine
from .machine import with_ticks
from .memory import DATA, MAGIC

BACKENDS = ("host", "qemu")
TOOLS = {"host": ("make", "cc"), "qemu": ("make", "arm-none-eabi-gcc", "qemu-system-arm")}
PACKAGES = {
    "make": "make", "cc": "gcc", "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}  # fmt: skip
TIMEOUT = 3600
PACKETS = 0x21000000  # beyond the PE's memory: where runtime/pe_qemu.c reads packets
STREAMS = ("events.bin", "traces.bin", "status.bin", "final.bin")


@dataclass(frozen=True, slots=True, eq=False)
class EmulationResult:
    """Event times (s) and traces (SI) by label; `raw` are the bytes of the record streams.

    Of applications: `counters` of each PE, and its timer at the end of each tick (under QEMU 25.6 per
    instruction, else the cycles of packets and synaptic events).
    """

    events: dict[str, NDArray[np.float64]]
    times: NDArray[np.float64]
    traces: dict[str, NDArray[np.float64]]
    raw: dict[str, bytes]
    lost_events: int
    counters: tuple[dict[str, int], ...] = ()
    time_done: tuple[NDArray[np.uint32], ...] = ()
    records: machine.Records | None = None


def missing_tools(backend: str) -> list[str]:
    """The programs that a back end needs and that are not installed."""
    return [tool for tool in TOOLS[backend] if shutil.which(tool) is None]


def build(folder: Path, backend: str = "host") -> Path:
    """Compile; returns the folder of programs. Raises ModelError E101 (a tool is missing), E102, E103."""
    if backend not in BACKENDS:
        raise error("E100", f"there is no back end '{backend}'", hint=", ".join(BACKENDS))
    missing = missing_tools(backend)
    if missing:
        packages = " ".join(PACKAGES[tool] for tool in missing)
        message = f"the back end '{backend}' needs {', '.join(missing)}"
        raise error("E101", message, hint=f"on Debian: apt-get install {packages}")
    done = subprocess.run(
        ["make", "-s", backend],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise _build_error(done.stderr)
    return folder / "build" / backend


def _build_error(text: str) -> ModelError:
    """The first error of compiler or linker; an overflowing memory with its numbers."""
    lines = text.splitlines()
    overflow = [line for line in lines if "overflowed by" in line]
    first = overflow or [line for line in lines if "error" in line] or lines or ["no message"]
    if overflow:
        where = overflow[0].rsplit(":", 1)[-1].strip()
        return refuse("E103", f"the program does not fit the PE: {where}")
    return error("E102", f"the generated code does not build: {first[0].strip()}")


def run(
    folder: Path,
    *,
    backend: str = "host",
    length: float | None = None,
    resumed: machine.Resumed | None = None,
) -> EmulationResult:
    """Build and run an exported folder for `length` seconds (None: as exported);
    `resumed`: what an application takes over from the run before (see `resume`).

    Raises ModelError E100 to E106.
    """
    folder = Path(folder)
    layout = _read_layout(folder)
    place = build(folder, backend)
    ticks = layout["ticks"] if length is None else max(1, round(length / layout["step_s"]))
    if layout.get("form") == "application":
        return _run_machine(folder, layout, backend, place, ticks, resumed)
    image = (folder / "data.bin").read_bytes()
    if struct.unpack_from("<I", image)[0] != MAGIC:
        raise error("E105", "data.bin is not a SpiNNaker2 data image")
    (place / "image.bin").write_bytes(with_ticks(image, ticks))
    for name in STREAMS:
        (place / name).unlink(missing_ok=True)
    if backend == "host":
        _execute([str((place / "program").resolve()), "image.bin"], place)
    else:
        _execute(_qemu("program.elf", "image.bin"), place)
    return _read_records(place, layout, ticks)


def _execute(command: list[str], place: Path) -> None:
    """Run a program in `place`. Raises ModelError E104 if it fails."""
    done = subprocess.run(
        command,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode:
        detail = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise error("E104", f"the program stopped with code {done.returncode}: {detail}")


def _run_machine(
    folder: Path,
    layout: dict[str, Any],
    backend: str,
    place: Path,
    ticks: int,
    resumed: machine.Resumed | None,
) -> EmulationResult:
    """All PEs on this computer; under QEMU each of them again, with the packets that it heard."""
    data = machine.images(folder, layout, ticks)
    everyone = range(len(data))
    traced = frozenset(everyone if backend == "qemu" else ())
    host = place if backend == "host" else build(folder, "host")
    sent = machine.list_packets(folder)
    (host / "machine.bin").write_bytes(
        machine.machine_file(layout, data, sent, ticks, traced, resumed)
    )
    _execute([str((host / "program").resolve()), "machine.bin"], host)
    records = machine.read_records(host / "records.bin")
    if backend == "qemu":
        packets = machine.read_packets(host / "packets.bin")
        # what is under way at the end is known where all PEs run together
        records = records.only(machine.SENT)
        for number in everyone:
            (place / "image.bin").write_bytes(data[number])
            (place / "packets.in").write_bytes(machine.packet_file(packets[number]))
            name = layout["apps"][layout["pes"][number]["app"]]["name"]
            ring = resumed.rings[number] if resumed else (0, b"")
            (place / "ring.bin").write_bytes(ring[1])
            _execute(_qemu(f"{name}.elf", "image.bin", "packets.in", ring[0]), place)
            machine.read_records(place / "records.bin", records)
    counters = machine.check_status(records, layout, ticks)
    streams = {
        f"{name}.bin": b"".join(records.words(pe, stream).tobytes() for pe in everyone)
        for name, stream in (("events", machine.SPIKES), ("traces", machine.TRACES),
                             ("status", machine.STATUS))
    }  # fmt: skip
    return EmulationResult(
        events=machine.event_times(records, layout, sent, ticks),
        times=np.arange(layout.get("first", 0), ticks + 1) * layout["step_s"],
        traces=machine.trace_values(records, layout),
        raw=streams,
        lost_events=0,
        counters=tuple(counters),
        time_done=tuple(records.words(pe, machine.DONE) for pe in everyone),
        records=records,
    )


def _read_layout(folder: Path) -> dict[str, Any]:
    try:
        layout: dict[str, Any] = json.loads((folder / "layout.json").read_text())
    except (OSError, ValueError):
        message = f"'{folder.name}' does not hold an exported SpiNNaker2 program"
        raise error("E105", message, hint="make one with: interspike convert") from None
    return layout


def _qemu(program: str, image: str, packets: str = "", ring: int = 0) -> list[str]:
    """QEMU with a program, data and packets; time runs with the number of instructions."""
    loader = ["-device", f"loader,file={packets},addr={PACKETS:#x},force-raw=on"] if packets else []
    loader += ["-device", f"loader,file=ring.bin,addr={ring:#x},force-raw=on"] if ring else []
    return [
        "qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
        "-serial", "none", "-semihosting-config", "enable=on,target=native",
        "-icount", "shift=10,sleep=off", "-kernel", program,
        "-device", f"loader,file={image},addr={DATA.start:#x},force-raw=on", *loader,
    ]  # fmt: skip


def _read_records(place: Path, layout: dict[str, Any], ticks: int) -> EmulationResult:
    raw = {name: (place / name).read_bytes() for name in STREAMS}
    done, lost = struct.unpack("<2I", raw["status.bin"])
    if done != ticks:
        raise error("E104", f"the program ended after {done} of {ticks} ticks")
    if lost:
        message = f"{lost} events were lost: more were under way than the queues of one PE hold"
        raise error("E106", message, hint="shorter delays, a larger step, or fewer cells")
    step = layout["step_s"]
    words = np.frombuffer(raw["events.bin"], dtype="<u4").reshape(-1, 2)
    sender = words[:, 1]
    events = {}
    for item in layout["events"]:
        chosen = sender == (item["port"] << 16 | item["index"])
        events[item["label"]] = words[chosen, 0] * step
    count = len(layout["traces"])
    table = np.frombuffer(raw["traces.bin"], dtype="<f4").reshape(-1, count) if count else None
    first = layout.get("first", 0)
    rows = ticks + 1 - first if table is None else len(table)
    traces = {
        item["label"]: table[:, k].astype(float) * item["si"]
        for k, item in enumerate(layout["traces"])
        if table is not None
    }
    counters = (dict.fromkeys(machine.STATUS_NAMES, 0) | {"ticks": done},)
    times = (first + np.arange(rows)) * step
    return EmulationResult(events, times, traces, raw, lost, counters)
