"""Read a NeuroML network from HDF5: groups become plain parts first, then the checks that XML has.

Rows are arrays from the file to the network. Only what lies in the file itself is read: links to
other files, external storage and virtual datasets are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...canonical_model.diagnostics import Level, Log, Span, error
from ...canonical_model.network import Input, Network, Population, Projection
from ..xml import Budget, Element, read_xml
from .network_builder import MICRO, MILLI, NetworkBuilder, Units

if TYPE_CHECKING:
    from ...canonical_model.network import Floats, Ints

MAX_ROWS = 100_000_000
MAX_COLUMNS = 64
MAX_PARTS = 100_000
MAX_ATTRIBUTES = 1000
# a dataset may be small in the file and huge in memory: this many values are always allowed
FREE_VALUES = 4_000_000
MAX_COMPRESSION = 1000
BLOCK = 1 << 18

# what files call a column, and what the dataset means when it does not name its columns
_CONNECTION = ("pre_cell_id", "post_cell_id")
_LOCATION = {3: ("x", "y", "z"), 4: ("id", "x", "y", "z")}
_SEGMENTS = ("pre_segment_id", "post_segment_id", "segment_id")
_INTEGERS = ("id", "pre_cell_id", "post_cell_id", "target_cell_id")

Columns: TypeAlias = "dict[str, Floats]"


@dataclass(slots=True)
class _Part:
    """A group below the network: its attributes and the columns of its dataset, if it has one."""

    kind: str
    attributes: dict[str, str]
    columns: Columns
    rows: int
    place: str

    def span(self, row: int | None = None) -> Span:
        """The group in the file; its row (from 1) stands where text files have the line."""
        return Span(self.place, 0 if row is None else row + 1)

    def need(self, name: str) -> str:
        """An attribute. Raises ModelError L112."""
        value = self.attributes.get(name, "")
        if not value:
            raise error("L112", f"the group lacks the attribute '{name}'", self.span())
        return value

    def integers(self, name: str) -> Ints:
        """A column of cell ids. Raises ModelError L040 if it is absent or holds other numbers."""
        values = self.columns.get(name)
        if values is None:
            if self.rows == 0:
                return np.zeros(0, dtype=np.int64)
            raise error("L040", f"the rows have no column '{name}'", self.span())
        with np.errstate(invalid="ignore"):
            ids = values.astype(np.int64)
        # float32 holds integers exactly below 2**24 only, float64 below 2**53
        limit = 2**24 if values.dtype == np.float32 else 2**53
        bad = np.flatnonzero(~((ids == values) & (np.abs(values) <= limit)))
        if len(bad):
            first = int(bad[0])
            message = f"{name} is {values[first]:g}, which is not an exact cell number"
            raise error("L040", message, self.span(first))
        return ids

    def floats(self, name: str) -> Floats | None:
        """A column of finite numbers, None if there is none. Raises ModelError L123."""
        column = self.columns.get(name)
        if column is None:
            return None
        values = column.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            first = int(bad[0])
            raise error("L123", f"{name} is {values[first]}, not a number", self.span(first))
        return values


def embedded_document(path: Path, file: str = "", budget: Budget | None = None) -> Element:
    """The elements that the file keeps as XML text; an empty `<neuroml>` if there are none.

    Raises ModelError L040 for a file that cannot be read, L001 to L004 for the text in it.
    """
    name = file or path.name
    with _opened(path, name) as stream:
        group = _child(stream, "neuroml", name)
        if group is None:
            message = f"'{name}' has no group 'neuroml': it is not a NeuroML file"
            raise error("L040", message, Span(name))
        attributes = _attributes(group, name)
    text = attributes.get("neuroml_top_level", "")
    if not text.strip():
        return Element("neuroml", {}, [], "", Span(name))
    return read_xml(text.encode(), f"{name}/neuroml", budget)


def read_hdf5_network(path: Path, units: Units, log: Log, file: str = "") -> Network | None:
    """The network of the file, None if it has none.

    Rows are counted from 1 in the places of errors. Raises ModelError L040 for a file that cannot be
    read, and what `NetworkBuilder` raises.
    """
    name = file or path.name
    with _opened(path, name) as stream:
        document = _child(stream, "neuroml", name)
        network = _child(document, "network", name) if document is not None else None
        if network is None:
            return None
        attributes = _attributes(network, name)
        parts = _parts(network, f"{name}/neuroml/network")
    builder = NetworkBuilder(units, log)
    for kind, action in _ACTIONS.items():
        for part in parts:
            if part.kind == kind:
                action(part, builder)
    span = Span(name)
    quantities = {}
    if attributes.get("temperature"):
        quantities["temperature"] = units(attributes["temperature"], "temperature", span)
    return builder.network(attributes.get("id") or path.stem, span, quantities)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    """An open file; whatever the library cannot read in it becomes an L040 error."""
    import h5py

    try:
        if path.is_file() and not h5py.is_hdf5(path):
            message = f"'{name}' is not an HDF5 file, or its start is lost"
            raise error("L040", message, Span(name))
        with h5py.File(path, "r") as stream:
            yield stream
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError) as problem:
        reason = " ".join(str(problem).split())[:200]
        message = f"the HDF5 file '{name}' cannot be read: {reason}"
        raise error("L040", message, Span(name)) from None


def _child(group: Any, name: str, place: str) -> Any:
    """A group inside the file, None if absent. Raises ModelError L040 for links and datasets."""
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        return None
    found = group[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Group):
        message = f"'{name}' must be a group of the file itself, not a link or a dataset"
        raise error("L040", message, Span(place))
    return found


def _attributes(item: Any, place: str) -> dict[str, str]:
    """Attributes as texts, for values that are one text or number."""
    if len(item.attrs) > MAX_ATTRIBUTES:
        raise error("L040", f"more than {MAX_ATTRIBUTES} attributes", Span(place))
    return {str(key): _text(item.attrs[key]) for key in item.attrs}


def _text(value: Any) -> str:
    """An attribute's value: writers store texts alone, in arrays of one, or as a pickled None."""
    if isinstance(value, np.ndarray):
        value = value.flat[0] if value.size == 1 else ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return "" if value in ("N.", "None") else value.rstrip("\0")
    return str(value) if isinstance(value, int | float | np.number) else ""


def _parts(network: Any, place: str) -> list[_Part]:
    import h5py

    if len(network) > MAX_PARTS:
        raise error("L040", f"more than {MAX_PARTS} groups", Span(place))
    parts = []
    for name in network:
        group = _child(network, name, place)
        here = f"{place}/{name}"
        attributes = _attributes(group, here)
        kind = next((k for prefix, k in _PREFIXES.items() if name.startswith(prefix)), "")
        if kind == "projection":
            kind = attributes.get("type") or kind
        if kind not in _ACTIONS:
            message = f"the group '{name}' is neither a population, a projection nor an input list"
            raise error("L040", message, Span(here))
        columns: Columns = {}
        rows = 0
        for key in group:
            item = group[key] if isinstance(group.get(key, getlink=True), h5py.HardLink) else None
            if not isinstance(item, h5py.Dataset) or columns:
                message = f"'{key}' is not the only table of its group"
                raise error("L040", message, Span(here))
            columns, rows = _columns(item, here, kind)
        parts.append(_Part(kind, attributes, columns, rows, here))
    return parts


def _columns(dataset: Any, place: str, kind: str) -> tuple[Columns, int]:
    """The columns of a dataset by name, read in blocks so that no second copy is held."""
    if dataset.ndim != 2 or dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:
        message = f"a table of numbers is expected, not {dataset.dtype} of shape {dataset.shape}"
        raise error("L040", message, Span(place))
    if dataset.external or dataset.is_virtual:
        raise error("L040", "the rows are kept in another file", Span(place))
    rows, width = dataset.shape
    stored = dataset.id.get_storage_size()
    too_dense = rows * width > FREE_VALUES and rows * width > MAX_COMPRESSION * stored
    chunk = int(np.prod(dataset.chunks)) if dataset.chunks else 0
    if rows > MAX_ROWS or width > MAX_COLUMNS or too_dense or chunk > 8 * FREE_VALUES:
        message = f"a table of {rows} x {width} numbers in {stored} bytes is not plausible"
        raise error("L040", message, Span(place))
    names = _names(dataset, kind, place)
    columns = {name: np.empty(rows, dtype=dataset.dtype) for name in names.values()}
    for start in range(0, rows, BLOCK):
        block = dataset[start : start + BLOCK]
        for k, name in names.items():
            columns[name][start : start + BLOCK] = block[:, k]
    return columns, rows


def _names(dataset: Any, kind: str, place: str) -> dict[int, str]:
    """Column numbers and their names, from attributes `column_0`, `column_1`, ..."""
    width = dataset.shape[1]
    names: dict[int, str] = {}
    for key, name in _attributes(dataset, place).items():
        number = key.removeprefix("column_")
        if number == key or not (number.isdecimal() and len(number) < 5):
            continue
        if int(number) >= width or name in names.values():
            message = f"{key} = '{name}' fits no column of {width}"
            raise error("L040", message, Span(place))
        names[int(number)] = name
    if names:
        return names
    if kind == "population":
        names = dict(enumerate(_LOCATION.get(width, ())))
    elif kind != "inputList" and width == len(_CONNECTION):
        names = dict(enumerate(_CONNECTION))
    if not names and dataset.shape[0]:
        raise error("L040", f"the {width} columns of the table have no names", Span(place))
    return names


def _population(part: _Part, builder: NetworkBuilder) -> None:
    size_text = part.attributes.get("size", "")
    is_list = bool(part.columns) or part.attributes.get("type") == "populationList"
    size = part.rows
    if not part.columns:
        if not (size_text.isdecimal() and len(size_text) < 19):
            message = f"size='{size_text}' is not a number of cells"
            raise error("L123", message, part.span())
        size = int(size_text)
    axes = [axis for name in "xyz" if (axis := part.floats(name)) is not None]
    prefix = "property:"
    builder.add_population(
        Population(
            name=part.need("id"),
            component=part.need("component"),
            size=size,
            positions=np.stack(axes, axis=1) * MICRO if len(axes) == 3 else None,
            properties={
                name.removeprefix(prefix): value
                for name, value in part.attributes.items()
                if name.startswith(prefix)
            },
            is_list=is_list,
            span=part.span(),
        ),
        part.integers("id") if "id" in part.columns else None,
    )


def _projection(part: _Part, builder: NetworkBuilder) -> None:
    """A projection of any kind: for the electrical one the same synapse stands at both ends."""
    source = part.need("presynapticPopulation")
    target = part.need("postsynapticPopulation")
    builder.population(source, part.span())
    builder.population(target, part.span())
    pre_synapse = ""
    if part.kind == "continuousProjection":
        pre_synapse, synapse = part.need("preComponent"), part.need("postComponent")
    else:
        synapse = part.need("synapse")
        if part.kind == "electricalProjection":
            pre_synapse = synapse
    name = part.need("id")
    if not part.rows:
        return
    _warn_segments(part, builder)
    builder.projections.append(
        Projection(
            name=name,
            source=source,
            target=target,
            pre=builder.cells(source, part.integers("pre_cell_id"), part.span),
            post=builder.cells(target, part.integers("post_cell_id"), part.span),
            kind=_KINDS[part.kind],
            pre_synapse=pre_synapse,
            synapse=synapse,
            weight=part.floats("weight"),
            delay=_delays(part) if part.kind == "projection" else None,
            span=part.span(),
        )
    )


def _delays(part: _Part) -> Floats | None:
    """Delays in seconds: files hold milliseconds."""
    values = part.floats("delay")
    if values is None:
        return None
    if part.columns["delay"].dtype == np.float32:
        # float32 cannot hold 0.1 ms: give back the decimal that was written, to 7 digits
        distinct, where = np.unique(values, return_inverse=True)
        values = np.array([float(f"{value:.7g}") for value in distinct.tolist()])[where]
    seconds: Floats = values * MILLI
    bad = np.flatnonzero(seconds < 0)
    if len(bad):
        first = int(bad[0])
        raise error("L172", f"the delay {values[first]:g} ms is negative", part.span(first))
    return seconds


def _input_list(part: _Part, builder: NetworkBuilder) -> None:
    population = part.need("population")
    builder.population(population, part.span())
    component = part.need("component")
    if not part.rows:
        return
    _warn_segments(part, builder)
    builder.inputs.append(
        Input(
            name=part.need("id"),
            component=component,
            population=population,
            index=builder.cells(population, part.integers("target_cell_id"), part.span),
            weight=part.floats("weight"),
            span=part.span(),
        )
    )


def _warn_segments(part: _Part, builder: NetworkBuilder) -> None:
    for name in _SEGMENTS:
        if name in part.columns and np.any(part.columns[name] != 0):
            message = f"{name} other than 0 only matters for cells with several segments"
            builder.log.add("L037", Level.NOTE, message, part.span())


_PREFIXES = {
    "population_": "population",
    "projection_": "projection",
    "inputList_": "inputList",
    "input_list_": "inputList",
}
_KINDS = {
    "projection": "event",
    "electricalProjection": "electrical",
    "continuousProjection": "continuous",
}
# in the order in which they refer to each other
_ACTIONS: dict[str, Callable[[_Part, NetworkBuilder], None]] = {
    "population": _population,
    "projection": _projection,
    "electricalProjection": _projection,
    "continuousProjection": _projection,
    "inputList": _input_list,
}
