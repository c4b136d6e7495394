"""The PE's memory: one table of addresses and sizes for linker script, C header and Python.

Addresses are those of the application memory layout of py-spinnaker2 (ITCM 32 KiB, DTCM 96 KiB, data
specification at 0xE900). `check` finds overlaps when code is generated.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

# cycles of the chip, counted under QEMU: finding a packet's row, adding one synapse word to the ring buffer
PACKET_CYCLES = 170
EVENT_CYCLES = 16

MAGIC = 0xAD130AD6
VERSION = 0x00010000


@dataclass(frozen=True, slots=True)
class Area:
    """A stretch of the PE's memory."""

    name: str
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.start + self.size


ITCM = Area("ITCM", 0x00000, 0x08000)
DTCM = Area("DTCM", 0x08000, 0x06800)  # .data and .bss of the program
ERROR_LOG = Area("ERROR_LOG", 0x0E800, 0x00100)
DATA = Area("DATA", 0x0E900, 0x10700)  # header and regions, written by the host
STACK = Area("STACK", 0x1F000, 0x01000)
MEMORY = Area("MEMORY", 0x00000, 0x20000)
AREAS = (ITCM, DTCM, ERROR_LOG, DATA, STACK)

# an application splits DTCM: variables of the program, and ring buffers (in DATA where they are larger)
PROGRAM = Area("PROGRAM", DTCM.start, 0x00800)
WORK = Area("WORK", PROGRAM.end, DTCM.size - PROGRAM.size)

# regions in the order of the header, numbered from 0
REGIONS = (
    "ROUTING_TABLE", "TIMER_CONFIG", "GLOBAL_PARAMS", "MPT_INFO", "MPT", "SYN_ROW",
    "NEURONS_PARAMS", "SPIKE_RECORD", "VOLTAGE_RECORD", "TIME_DONE", "LOG",
)  # fmt: skip
HEADER_WORDS = 2 + len(REGIONS)
ALIGNMENT = 16  # bytes: where regions of an application start

# words of GLOBAL_PARAMS of an application; the first ten are those of the stock applications
GLOBALS = (
    "N_NEURONS", "RECORD_SPIKES", "RECORD_V", "PROFILING", "TIME_DONE", "DT", "W_SCALE_EXC",
    "W_SCALE_INH", "DEBUG", "LOG_SIZE", "SEED", "PE", "RECORD_ROWS", "RING", "N_TRACED",
    "SHARED", "OWN", "STATE", "SCALES", "TRACED",
    "INPUT", "FEEDS", "FIRST_TICK", "RANDOM", "ATTACHED",
)  # fmt: skip


def check() -> list[str]:
    """Overlaps and areas outside of the memory; empty if the table is sound."""
    found = []
    for first, second in pairwise(AREAS):
        if first.end > second.start:
            found.append(f"{first.name} ends at {first.end:#x}, after {second.name} starts")
    if AREAS[-1].end > MEMORY.end:
        found.append(f"{AREAS[-1].name} ends beyond the memory")
    if WORK.end > DTCM.end or PROGRAM.end > WORK.start:
        found.append(f"{WORK.name} ends at {WORK.end:#x}, beyond {DTCM.name}")
    return found


def c_header() -> str:
    """The table as C macros."""
    lines = [
        "/* Addresses of the PE's memory. Generated from interspike's memory table. */",
        "#ifndef INTERSPIKE_MEMORY_H",
        "#define INTERSPIKE_MEMORY_H",
    ]
    lines += [f"#define {a.name}_START {a.start:#07x}u" for a in AREAS]
    lines += [f"#define {a.name}_SIZE {a.size:#07x}u" for a in AREAS]
    lines += [f"#define MEMORY_SIZE {MEMORY.size:#07x}u", f"#define MEMORY_BASE {MEMORY.start:#x}u"]
    lines += [f"#define HEADER_MAGIC {MAGIC:#010x}u", f"#define HEADER_VERSION {VERSION:#010x}u"]
    lines += [f"#define REGION_{name} {k}u" for k, name in enumerate(REGIONS)]
    lines += [f"#define GLOBAL_{name} {k}u" for k, name in enumerate(GLOBALS)]
    lines += [f"#define CYCLES_PACKET {PACKET_CYCLES}u", f"#define CYCLES_EVENT {EVENT_CYCLES}u"]
    lines += ["#endif", ""]
    return "\n".join(lines)


def linker_script(variables: Area = DTCM) -> str:
    """The linker script of a program for one PE, whose variables lie in `variables`."""
    return f"""/* Memory of one PE. Generated from interspike's memory table. */
ENTRY(Reset_Handler)
MEMORY
{{
  ITCM (rx) : ORIGIN = {ITCM.start:#x}, LENGTH = {ITCM.size:#x}
  DTCM (rw) : ORIGIN = {variables.start:#x}, LENGTH = {variables.size:#x}
}}
__stack_top = {STACK.end:#x};
SECTIONS
{{
  .text : {{ KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); }} > ITCM
  .data : {{ *(.data*) . = ALIGN(4); }} > DTCM
  .bss (NOLOAD) : {{
    __bss_start = .; *(.bss*) *(COMMON) . = ALIGN(4); __bss_end = .;
  }} > DTCM
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.attributes) *(.comment) }}
}}
"""
