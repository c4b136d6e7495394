"""Build file and README of an exported program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...canonical_model.model import Provenance
from ...spinnaker2 import memory
from .data import Image
from .network_code import NetworkCode
from .plan import Plan

if TYPE_CHECKING:
    from .application import Application

MAKEFILE = """\
# make host: the program for this computer; make qemu: for a Cortex-M4F with the PE's memory map
FLAGS = -std=c11 -O2 -ffp-contract=off -fno-math-errno -Wall -Wextra -Wdouble-promotion -Iruntime -I.
SOURCES = network.c runtime/runtime.c runtime/random.c runtime/mathf.c
HEADERS = $(wildcard models/*.h runtime/*.h)
CORTEX = -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -ffreestanding \\
  -ffunction-sections -fdata-sections -nostartfiles -nostdlib -Wl,--gc-sections -T runtime/pe.ld

host: build/host/program
qemu: build/qemu/program.elf

build/host/program: $(SOURCES) runtime/hal_host.c $(HEADERS)
\tmkdir -p build/host
\t$(CC) $(FLAGS) $(SOURCES) runtime/hal_host.c -o $@

build/qemu/program.elf: $(SOURCES) runtime/hal_qemu.c runtime/pe.ld $(HEADERS)
\tmkdir -p build/qemu
\tarm-none-eabi-gcc $(FLAGS) $(CORTEX) $(SOURCES) runtime/hal_qemu.c -o $@ -lgcc

clean:
\trm -rf build

.PHONY: host qemu clean
"""

MACHINE = """\
# make host: all PEs in one program for this computer; make qemu: each program for a Cortex-M4F
FLAGS = -std=c11 -O2 -ffp-contract=off -fno-math-errno -Wall -Wextra -Wdouble-promotion -Iruntime -I.
APPS = {apps}
COMMON = runtime/pe.c runtime/random.c runtime/mathf.c
HEADERS = $(wildcard models/*.h runtime/*.h)
CORTEX = -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -ffreestanding \\
  -ffunction-sections -fdata-sections -nostartfiles -nostdlib -Wl,--gc-sections -T runtime/pe.ld

host: build/host/program
qemu: $(APPS:%=build/qemu/%.elf)

build/host/program: $(APPS:%=apps/%.c) apps/apps.c $(COMMON) runtime/machine.c $(HEADERS)
\tmkdir -p build/host
\t$(CC) $(FLAGS) $(filter %.c,$^) -o $@

build/qemu/%.elf: apps/%.c $(COMMON) runtime/pe_qemu.c runtime/pe.ld $(HEADERS)
\tmkdir -p build/qemu
\tarm-none-eabi-gcc $(FLAGS) $(CORTEX) -DAPP=app_$* $(filter %.c,$^) -o $@ -lgcc

clean:
\trm -rf build

.PHONY: host qemu clean
"""


def machine_makefile(apps: list[str]) -> str:
    """The build file of a network on many PEs."""
    return MACHINE.format(apps=" ".join(apps))


def makefile() -> str:
    """The build file: the same sources for both emulators."""
    return MAKEFILE


def readme(
    plan: Plan, code: NetworkCode, image: Image, source: Provenance, ticks: int, units: str
) -> str:
    """What the folder holds and how it is used."""
    size = len(image.to_bytes())
    lines = [
        f"# {_clean(plan.name)} on SpiNNaker2",
        "",
        f"Made from `{_clean(source.source)}`. {units}",
        f"{ticks} ticks of {plan.step * 1e3:g} ms; data {size} of {memory.DATA.size} bytes.",
        "",
        "| file | what it is |",
        "|---|---|",
        "| `models/*.h` | one model each: state, parameters, update, conditions, events |",
        "| `network.c` | groups, gathering of inputs, delivery of events, recording |",
        "| `runtime/` | tick loop, queues, single-precision functions, two platforms, linker script |",
        "| `data.bin` | header and regions that the host writes from 0xE900 on |",
        "| `layout.json` | what is recorded, and in which unit |",
        "| `*_application.py` | Python class of each model, with PyNN's attributes |",
        "| `run_*.py` | runs the network on the emulator |",
        "",
        "`interspike run .` builds and runs it; `make host` and `make qemu` only build.",
        "",
        "## How each system is solved",
        "",
        "| group | instances | states | scheme | why |",
        "|---|---|---|---|---|",
    ]
    for item in plan.groups:
        for block in item.model.update.blocks:
            where = f" ({', '.join(block.regimes)})" if block.regimes else ""
            lines.append(
                f"| {_clean(item.group.name)} | {item.group.size} | "
                f"{_clean(', '.join(block.states))}{_clean(where)} | {block.scheme} | {block.reason} |"
            )
    return "\n".join([*lines, ""])


def _clean(text: str) -> str:
    """Model text for Markdown: no markup, no line breaks."""
    return "".join(c if c.isalnum() or c in " ._-(),[]:+/" else "_" for c in text)[:300]


def machine_readme(application: Application, source: Provenance, units: str) -> str:
    """What the folder of a network on many PEs holds."""
    plan, partition = application.plan, application.partition
    lines = [
        f"# {_clean(plan.name)} on SpiNNaker2",
        "",
        f"Made from `{_clean(source.source)}`. {units}",
        f"{application.ticks} ticks of {plan.step * 1e3:g} ms on {len(partition.slices)} PEs.",
        "",
        "| file | what it is |",
        "|---|---|",
        "| `models/*.h` | one model each: state, parameters, update, conditions, events |",
        "| `apps/*.c` | one program each: the model with its receptor types and ring buffer |",
        "| `runtime/` | packets, rows, tick, recording, single-precision functions, platforms |",
        "| `pes/*.bin` | header and regions of each PE, which the host writes from 0xE900 on |",
        "| `layout.json` | PEs, routes, spike lists, and where records are found |",
        "| `*_application.py` | Python class of each model |",
        "| `run_*.py` | runs the network on the emulator |",
        "",
        "`interspike run .` builds and runs it; `make host` and `make qemu` only build.",
        "",
        "## Programs",
        "",
        "| program | neurons | PEs | at most on one | synapse word | receptor types | ring buffer |",
        "|---|---|---|---|---|---|---|",
    ]
    for app in partition.apps:
        own = [part for part in partition.slices if application.app(part) is app]
        lines.append(
            f"| {app.name} | {sum(part.size for part in own)} | {len(own)} | "
            f"{max((part.size for part in own), default=0)} | {app.word} | "
            f"{_clean(', '.join(f'{port} {s:+d}' for port, s in app.types))} | {app.ring} bytes |"
        )
    lines += ["", "## How each system is solved", ""]
    lines += ["| program | states | scheme | why |", "|---|---|---|---|"]
    for model in plan.models:
        lines += [
            f"| {model.name} | {_clean(', '.join(b.states))} | {b.scheme} | {b.reason} |"
            for b in model.update.blocks
        ]
    return "\n".join([*lines, ""])
