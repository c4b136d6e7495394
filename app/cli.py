"""The command line: arguments, dispatch and exit codes. Standard library only until a command runs.

Exit codes: 0 done (losses are in the report), 1 different (`diff`, `verify`) or a model of a migration
failed, 2 bad input or usage, 3 refused by the target or by
`--strict`, 4 our own fault, 130 interrupted, 141 the reader of our output went away.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..canonical_model.diagnostics import ModelError

DONE, BAD_INPUT, REFUSED, INTERNAL, INTERRUPTED, PIPE_CLOSED = 0, 2, 3, 4, 130, 141
SOLVERS = ("auto", "exact", "euler", "rk4", "rkf45", "expeuler", "implicit")
NEST_SOLVERS = ("gsl",)  # what that exporter offers besides
_EPILOG = """exit codes: 0 done (losses are in the report), 1 different (diff, verify) or a model
of a migration failed, 2 bad input, 3 refused by the target or
by --strict, 4 our own fault"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `interspike ARGV` and return its exit code."""
    return _guarded(_parser(), sys.argv[1:] if argv is None else argv)


def convert_main(argv: Sequence[str] | None = None) -> int:
    """Run `convert SOURCE --to TARGET`, the same as `interspike convert`."""
    parser = argparse.ArgumentParser(
        prog="convert", description=_CONVERT, epilog=_EPILOG, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"interspike {__version__}")
    _convert_arguments(parser)
    return _guarded(parser, sys.argv[1:] if argv is None else argv)


def _guarded(parser: argparse.ArgumentParser, argv: Sequence[str]) -> int:
    """Parse and run; every way to fail becomes an exit code and a sentence, never a traceback."""
    try:
        arguments = parser.parse_args(argv)
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # the interpreter flushes stdout once more at exit: give it a place to flush to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


def _dispatch(arguments: argparse.Namespace) -> int:
    try:
        command = import_module(f".commands.{arguments.command}", __package__)
        code: int = command.run(arguments)
        return code
    except ModelError as problem:
        return _report(problem, arguments)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as problem:
        from .crash import explain

        explain(problem, arguments)
        return INTERNAL


def _report(problem: ModelError, arguments: argparse.Namespace) -> int:
    from .terminal import show

    code = REFUSED if problem.refused else BAD_INPUT
    show(problem.issues, getattr(arguments, "sources", {}))
    if getattr(arguments, "json", False):
        import json

        issues = [issue.to_json() for issue in problem.issues]
        print(json.dumps({"exit_code": code, "issues": issues}, indent=2))
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interspike",
        description="Convert spiking-neuron models between languages and into code that runs.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"interspike {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text.partition(".")[0], description=text, epilog=_EPILOG, allow_abbrev=False
        )

    _convert_arguments(add("convert", _CONVERT))
    _inspect_arguments(add("inspect", _INSPECT))
    _simulate_arguments(add("simulate", _SIMULATE))
    _run_arguments(add("run", _RUN))
    _fit_arguments(add("fit", _FIT))
    _formats_arguments(add("formats", _FORMATS))
    _diff_arguments(add("diff", _DIFF))
    _verify_arguments(add("verify", _VERIFY))
    _migrate_arguments(add("migrate", _MIGRATE))
    return parser


_CONVERT = "Convert a model file to a target. A report says what was kept, approximated or refused."
_INSPECT = "Show what a model file holds. Equations, units, and how each system would be solved."
_SIMULATE = "Run a model file on the reference simulator. Double precision, no code generated."
_RUN = "Build and run what a conversion wrote. On the target's emulator."
_FIT = "Tell how many neurons fit a core of SpiNNaker2. By memory and by time, without running."
_FORMATS = "List the formats and what each can hold."
_DIFF = "Are two models the same? Behaviour decides, at random points and in simulation."
_VERIFY = "Run a model and what it converts to. On the same stimulus, compared in numbers."
_MIGRATE = (
    "Convert every model below a folder. In parallel, within limits, resumable; with a summary."
)


def _source_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="model file, or - for standard input")
    parser.add_argument("--component", metavar="NAME", help="the component to take from the file")
    parser.add_argument(
        "-I", dest="search_path", metavar="DIR", action="append", default=[],
        help="also look for included files here (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--set", dest="options", metavar="NAME=VALUE", action="append", default=[],
        help="an option of the source's language, such as seed=2 (may be repeated)",
    )  # fmt: skip


def _common_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for programs on stdout")
    parser.add_argument(
        "--debug", action="store_true", help="on a fault of ours, write the traceback to a file"
    )
    parser.set_defaults(command=name)


def _solver_arguments(parser: argparse.ArgumentParser, more: tuple[str, ...] = ()) -> None:
    note = f"; for NEST also {', '.join(more)}" if more else ""
    parser.add_argument(
        "--solver",
        choices=(*SOLVERS, *more),
        default="auto",
        help=f"how to integrate (default: auto{note})",
    )
    parser.add_argument(
        "--dt", metavar="STEP", help="time step, e.g. 0.1ms (default: the experiment's, else 0.1ms)"
    )


def _convert_arguments(parser: argparse.ArgumentParser) -> None:
    _source_arguments(parser)
    parser.add_argument(
        "more", metavar="SOURCE", nargs="*", help="more model files, for one output of all"
    )
    parser.add_argument("--to", required=True, metavar="TARGET", help="see `interspike formats`")
    parser.add_argument("-o", dest="output", metavar="DIR", help="default: ./<name>_<target>")
    parser.add_argument(
        "--strict", action="store_true", help="refuse if anything would not be exact"
    )
    parser.add_argument(
        "--pair", dest="pairs", metavar="NEURON:SYNAPSE", action="append", default=[],
        help="make these together, or a JSON file of NESTML's options (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--suffix", metavar="TEXT", default="", help="added to the names of the models"
    )
    parser.add_argument(
        "--build", action="store_true", help="compile what was written (targets: nest)"
    )
    parser.add_argument(
        "--as-written",
        action="store_true",
        help="take a file that was made by us as it stands, not for the model it was made from",
    )
    parser.add_argument(
        "--no-origin",
        dest="origin",
        action="store_false",
        help="leave out the comment that lets the model come back (text targets)",
    )
    _solver_arguments(parser, NEST_SOLVERS)
    parser.add_argument("--report", metavar="FILE", help="write the report here too, as JSON")
    _common_arguments(parser, "convert")


def _inspect_arguments(parser: argparse.ArgumentParser) -> None:
    _source_arguments(parser)
    _solver_arguments(parser)
    _common_arguments(parser, "inspect")


def _simulate_arguments(parser: argparse.ArgumentParser) -> None:
    _source_arguments(parser)
    parser.add_argument(
        "-o", dest="output", metavar="DIR", help="folder for results (default: ./<name>_results)"
    )
    parser.add_argument(
        "--mode", choices=("auto", "continuous", "grid"), default="auto",
        help="events located in continuous time, or a fixed step (auto: what the model means)",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="write CSV files")
    form.add_argument("--npz", action="store_true", help="write one NumPy archive")
    parser.add_argument("--plot", metavar="FILE", help="draw traces and spikes (PNG, SVG, PDF)")
    parser.add_argument("--length", metavar="TIME", help="how long to run, e.g. 200ms")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of random draws")
    _solver_arguments(parser)
    _common_arguments(parser, "simulate")


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="folder that `interspike convert` wrote")
    parser.add_argument("--backend", metavar="NAME", help="host or qemu (default: host)")
    parser.add_argument("--length", metavar="TIME", help="how long to run, e.g. 200ms")
    parser.add_argument("--plot", metavar="FILE", help="draw the spikes (PNG, SVG, PDF)")
    parser.add_argument(
        "--profile", action="store_true", help="memory, cycles and missed ticks of every core"
    )
    _common_arguments(parser, "run")


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    _source_arguments(parser)
    _solver_arguments(parser)
    _common_arguments(parser, "fit")


def _formats_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="the table of docs/formats.md")
    _common_arguments(parser, "formats")


def _migrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE_DIR", help="folder of models in any language")
    parser.add_argument(
        "--to", dest="targets", metavar="TARGET", action="append", required=True,
        help="see `interspike formats` (may be repeated)",
    )  # fmt: skip
    parser.add_argument("-o", dest="output", metavar="OUT", required=True, help="folder to write")
    parser.add_argument(
        "--resume", action="store_true", help="go on with OUT, or bring it up to date"
    )
    parser.add_argument("--jobs", metavar="N", type=int, help="conversions at a time")
    parser.add_argument("--time", metavar="TIME", default="60s", help="limit of one (default: 60s)")
    parser.add_argument(
        "--memory", metavar="MB", type=int, default=2048, help="limit of one (default: 2048)"
    )
    parser.add_argument("--strict", action="store_true", help="refuse what would not be exact")
    _solver_arguments(parser, NEST_SOLVERS)
    _common_arguments(parser, "migrate")


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="A", help="model file")
    parser.add_argument("other", metavar="B", help="model file, perhaps in another language")
    parser.add_argument("--component", metavar="NAME", help="the component of A")
    parser.add_argument(
        "--other-component", metavar="NAME", help="the component of B (default: all in pairs)"
    )
    parser.add_argument(
        "-I", dest="search_path", metavar="DIR", action="append", default=[],
        help="also look for included files here (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="values",
        help="a value for a parameter of the second model, e.g. a=0.1per_ms",
    )
    parser.add_argument(
        "--match", action="store_true", help="give the second model the first one's values"
    )
    _common_arguments(parser, "diff")


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    _source_arguments(parser)
    parser.add_argument(
        "--to", metavar="TARGET", default="spinnaker2", help="see `interspike formats`"
    )
    parser.add_argument("--length", metavar="TIME", help="how long to run, e.g. 200ms")
    parser.add_argument("--plot", metavar="FILE", help="draw both runs (PNG, SVG, PDF)")
    _solver_arguments(parser)
    _common_arguments(parser, "verify")
