"""The summary as one HTML page: no other file, no network; the table sorts and filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from .options import STATUSES, Row

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5em; color: #222; background: #fff }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .25em .7em; text-align: left;
  border-bottom: 1px solid #ddd; vertical-align: top }
#models th { cursor: pointer; position: sticky; top: 0; background: #f2f2f2; user-select: none }
th[aria-sort=ascending]::after { content: " \\25b2" } th[aria-sort=descending]::after { content: " \\25bc" }
.exact { color: #176b2c } .lossy { color: #8a5a00 } .refused { color: #8a3200 }
.failed, .crashed { color: #a40000; font-weight: bold } .included, .skipped { color: #666 }
code { font-size: 12px } summary { cursor: pointer } ul { margin: .2em 0; padding-left: 1.2em }
input, select { font: inherit; padding: .2em .4em }
"""
_SCRIPT = """
"use strict";
const table = document.getElementById("models"), body = table.tBodies[0];
const text = document.getElementById("text"), status = document.getElementById("status");
const target = document.getElementById("target"), shown = document.getElementById("shown");
const rows = Array.from(body.rows);
const words = rows.map(row => row.textContent.toLowerCase());
function filter() {
  const wanted = text.value.toLowerCase();
  let count = 0;
  rows.forEach((row, k) => {
    const keep = words[k].includes(wanted)
      && (!status.value || row.dataset.status === status.value)
      && (!target.value || row.dataset.target === target.value);
    row.hidden = !keep;
    count += keep;
  });
  shown.textContent = count + " of " + rows.length + " shown";
}
function sort(column, heading) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => row.cells[column].textContent;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const sorted = rows.slice().sort((a, b) => compare(key(a), key(b)) * (down ? -1 : 1));
  body.append(...sorted);
}
Array.from(table.tHead.rows[0].cells).forEach((heading, k) =>
  heading.addEventListener("click", () => sort(k, heading)));
for (const field of [text, status, target]) field.addEventListener("input", filter);
filter();
"""
_HEADINGS = ("source", "part", "target", "status", "language", "exact", "lost", "reasons")


def page(title: str, counts: Mapping[str, Mapping[str, int]], rows: Iterable[Row]) -> bytes:
    """The page. `counts` are numbers by target and status; all text is escaped."""
    name = escape(_clean(title))
    targets = [target for target in counts if target]
    heads = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        f"<title>Migration of {name}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Migration of {name}</h1>",
        _counts(counts),
        '<p><input id="text" type="search" placeholder="filter" aria-label="filter"> ',
        _choice("status", list(STATUSES)),
        _choice("target", targets),
        ' <span id="shown" role="status"></span></p>',
        f'<table id="models"><thead><tr>{heads}</tr></thead><tbody>',
        *(_row(row) for row in rows),
        f"</tbody></table><script>{_SCRIPT}</script></body></html>",
    ]
    return ("\n".join(parts) + "\n").encode()


def _counts(counts: Mapping[str, Mapping[str, int]]) -> str:
    used = [status for status in STATUSES if any(status in each for each in counts.values())]
    heads = "".join(f'<th title="{escape(STATUSES[s])}">{s}</th>' for s in used)
    lines = [f"<table><tr><th></th>{heads}</tr>"]
    for target, each in counts.items():
        cells = "".join(f'<td class="{s}">{each.get(s, "")}</td>' for s in used)
        lines.append(f"<tr><th>{escape(target or 'other files')}</th>{cells}</tr>")
    return "\n".join([*lines, "</table>"])


def _choice(name: str, values: list[str]) -> str:
    options = "".join(f"<option>{escape(value)}</option>" for value in values)
    return f'<select id="{name}" aria-label="{name}"><option value="">any {name}</option>{options}</select>'


def _row(row: Row) -> str:
    lost = sum(row.counts.get(name, 0) for name in ("approximated", "dropped", "refused"))
    cells = [row.source, row.part, row.target]
    shown = "".join(f"<td>{escape(_clean(cell))}</td>" for cell in cells)
    return (
        f'<tr data-status="{escape(row.status)}" data-target="{escape(row.target)}">{shown}'
        f'<td class="{escape(row.status)}">{escape(row.status)}</td>'
        f"<td>{escape(_clean(row.language))}</td><td>{row.counts.get('exact', '')}</td>"
        f"<td>{lost or ''}</td><td>{_reasons(row.reasons)}</td></tr>"
    )


def _reasons(reasons: tuple[Mapping[str, Any], ...]) -> str:
    if not reasons:
        return ""
    items = [_reason(reason) for reason in reasons]
    if len(items) == 1:
        return items[0]
    rest = "".join(f"<li>{item}</li>" for item in items[1:])
    return f"<details><summary>{items[0]}</summary><ul>{rest}</ul></details>"


def _reason(reason: Mapping[str, Any]) -> str:
    text = f"{reason['level']} {reason['code']}: {reason['message']}"
    span = reason.get("span") or {}
    place = f" (line {span['line']})" if span.get("line") else ""
    hint = f" — {reason['hint']}" if reason.get("hint") else ""
    return escape(_clean(f"{text}{place}{hint}"))


def _clean(text: str) -> str:
    """Without control characters and characters that reverse the direction of writing."""
    return "".join(c if c.isprintable() else " " for c in text)
