"""`interspike convert`: source file in, folder out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ...canonical_model.diagnostics import LOSSES, Level, Log, error
from ...exporters.format import Exporter
from .. import registry, terminal, writing
from ..convert import Conversion, Refusal, convert, output_folder
from ..progress import Progress
from ..report import Report
from ._source import import_options, source


def run(arguments: argparse.Namespace) -> int:
    """Convert, write, report. Raises ModelError."""
    target = registry.exporter(arguments.to)
    if arguments.build and not target.build:
        message = f"what is written for '{target.name}' is not built by `convert`"
        raise error("A033", message, hint="leave --build away")
    if arguments.output is not None:
        writing.may_write(Path(arguments.output), target.scratch)
    file, data = source(arguments)
    log = Log()
    try:
        with Progress(file) as stage:
            result = convert(
                [file, *arguments.more] if arguments.more else file,
                data=data,
                to=arguments.to,
                solver=arguments.solver,
                dt=arguments.dt,
                strict=arguments.strict,
                component=arguments.component,
                search_path=arguments.search_path,
                import_options=import_options(arguments),
                pairs=arguments.pairs,
                suffix=arguments.suffix,
                as_written=arguments.as_written,
                origin=arguments.origin,
                log=log,
                stage=stage,
            )
    except Refusal as refusal:
        _write_report(refusal.report, arguments)
        raise
    folder = Path(arguments.output or output_folder(result.name, target))
    result.write(folder)
    if arguments.build:
        _build(folder, target)
    _write_report(result.report, arguments)
    _tell(result, folder, log, arguments)
    return 0


def _build(folder: Path, target: Exporter) -> None:
    """Compile what was written. Raises ModelError where a tool is missing or the compiler fails."""
    make = registry.load_function(target.build, dict(target.needs), target.name)
    with Progress(str(folder)) as stage:
        stage("building")
        made = make(folder)
    print(f"{made}: built", file=sys.stderr)


def _write_report(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.report:
        writing.write_file(Path(arguments.report), report.to_bytes())


def _tell(result: Conversion, folder: Path, log: Log, arguments: argparse.Namespace) -> None:
    """Losses, warnings, notes and a summary on stderr; the folder, or JSON, on stdout."""
    sources = getattr(arguments, "sources", {})
    order = [*LOSSES, Level.WARNING, Level.NOTE]
    shown = sorted(
        (issue for issue in log if issue.level in order), key=lambda issue: order.index(issue.level)
    )
    terminal.show(shown, sources)
    files = len(result.artifacts)
    what = f"{files} file{'s' if files != 1 else ''}"
    print(f"{folder}: {what} for {result.target}: {result.report.summary()}", file=sys.stderr)
    if arguments.json:
        data = {"exit_code": 0, "output": str(folder), "report": result.report.to_json()}
        print(json.dumps(data, indent=2))
    else:
        print(folder)
