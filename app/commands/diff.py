"""`interspike diff`: are two models the same?"""

from __future__ import annotations

import argparse
import json

from ...canonical_model.diagnostics import Log, error
from .. import terminal
from ..diff import SAME, Comparison, Diff, diff
from ..progress import Progress

MAX_LINES = 20


def run(arguments: argparse.Namespace) -> int:
    """Compare, tell: 0 the same, 1 different. Raises ModelError."""
    log = Log()
    with Progress(arguments.source) as stage:
        found = diff(
            arguments.source,
            arguments.other,
            component=arguments.component,
            other=arguments.other_component,
            values=_values(arguments.values),
            match=arguments.match,
            search_path=arguments.search_path,
            log=log,
            stage=stage,
        )
    code = 0 if found.verdict == SAME else 1
    if arguments.json:
        print(json.dumps({"exit_code": code, **found.to_json()}, indent=2))
    else:
        print(terminal.clean(text(found)))
    return code


def _values(given: list[str]) -> dict[str, str]:
    """`NAME=VALUE` as pairs. Raises ModelError A235."""
    for item in given:
        if "=" not in item:
            raise error("A235", f"'{item}' is no NAME=VALUE", hint="such as a=0.1per_ms")
    pairs = (item.partition("=") for item in given)
    return {name.strip(): value.strip() for name, _, value in pairs}


def text(found: Diff) -> str:
    """The differences for a terminal; the verdict is the last line."""
    lines = [line for item in found.comparisons for line in comparison_lines(item)]
    lines += [f"  {part.sentence}" for part in found.parts[:MAX_LINES]]
    return "\n".join([*lines, found.verdict])


def comparison_lines(item: Comparison) -> list[str]:
    """Verdict, differences, pairs and remarks of two components."""
    how = f" (decided by {item.decided})" if item.decided else ""
    lines = [f"{item.name} and {item.other}: {item.verdict}{how}"]
    lines += [f"  {each.sentence}" for each in item.differences[:MAX_LINES]]
    if len(item.differences) > MAX_LINES:
        lines.append(f"  ... and {len(item.differences) - MAX_LINES} more")
    renamed = [f"{x} = {y}" for x, y in item.pairs.items() if x != y]
    if renamed:
        lines.append(f"  matched: {', '.join(renamed[:MAX_LINES])}")
    return lines + [f"  note: {remark}" for remark in item.remarks]
