"""Population, PopulationView and Assembly."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ArrayParameter, LazyArray, ParameterSpace, simplify
from pyNN.standardmodels import StandardCellType

from . import simulator
from .history import History
from .recording import Recorder


class Assembly(common.Assembly):
    """Several populations or views taken together."""

    _simulator = simulator

    @property
    def receptor_types(self) -> list[str]:
        """What all populations have, in the order of the first: PyNN's own order is that of a set."""
        first, *others = [list(p.celltype.receptor_types) for p in self.populations]
        return [name for name in first if all(name in own for own in others)]


class _Parameters:
    """Reading of parameters, the same for populations and views."""

    celltype: Any

    def _get_parameters(self, *names: str) -> Any:
        if not isinstance(self.celltype, StandardCellType):
            return self._get_native_parameters(*names)
        if hasattr(self.celltype, "post_synaptic_receptors"):
            return self._get_native_parameters(*names)
        native = self._get_native_parameters(*self.celltype.get_native_names(*names))
        return self.celltype.reverse_translate(native)

    def _get_native_parameters(self, *names: str) -> Any:
        values = {name: simplify(self._values(name)) for name in names}
        return ParameterSpace(values, shape=(self.size,))  # type: ignore[attr-defined]

    def _values(self, name: str) -> Any:
        raise NotImplementedError


class PopulationView(common.PopulationView, _Parameters):
    """A subset of a population's cells."""

    _assembly_class = Assembly
    _simulator = simulator

    def _cells(self) -> Any:
        """Indices of the cells in the population at the root of all views."""
        return np.arange(self.parent.size)[self.mask]

    def _values(self, name: str) -> Any:
        return self.parent._values(name)[self.mask]

    def _set_parameters(self, parameter_space: Any) -> None:
        changed = {}
        for name, value in _evaluated(parameter_space, self.size).items():
            whole = self.parent._values(name).copy()
            whole[self.mask] = value
            changed[name] = whole
        self.parent._store(changed)

    def _store(self, values: dict[str, Any]) -> None:
        """Views of views: hand complete arrays of this view up."""
        self._set_parameters_from(values)

    def _set_parameters_from(self, values: dict[str, Any]) -> None:
        changed = {}
        for name, value in values.items():
            whole = self.parent._values(name).copy()
            whole[self.mask] = value
            changed[name] = whole
        self.parent._store(changed)

    def _set_initial_value_array(self, variable: str, initial_values: Any) -> None:
        root, cells = root_of(self)
        values = np.array(root._initial_array(variable))
        values[cells] = np.broadcast_to(initial_values.evaluate(simplify=False), (self.size,))
        root._set_initial_array(variable, values)

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of state variables of the view's cells; see PyNN."""
        for variable, value in initial_values.items():
            array = LazyArray(value, shape=(self.size,), dtype=float)
            self._set_initial_value_array(variable, array)


class Population(common.Population, _Parameters):
    """Cells of one type."""

    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly

    def _create_cells(self) -> None:
        if not hasattr(self.celltype, "check"):
            raise TypeError(f"{type(self.celltype).__name__} is not a cell type of this back end")
        state = simulator.state
        numbers = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.array([simulator.ID(number) for number in numbers], dtype=simulator.ID)
        self._mask_local = np.ones(self.size, dtype=bool)
        for cell in self.all_cells:
            cell.parent = self
        state.id_counter += self.size
        space = getattr(self.celltype, "native_parameters", None)
        if space is None:
            space = self.celltype.parameter_space
        space.shape = (self.size,)
        values = _evaluated(space, self.size)
        self.celltype.check(values)
        self._parameters = History(values)
        self._initial: History = History({})
        self._number = len(state.registry.populations)
        state.registry.populations.append(self)

    def _values(self, name: str) -> Any:
        return self._parameters.present[name]

    def _set_parameters(self, parameter_space: Any) -> None:
        self._store(_evaluated(parameter_space, self.size))

    def _store(self, values: dict[str, Any]) -> None:
        unknown = [name for name in values if name not in self._parameters.present]
        if unknown:
            raise errors.NonExistentParameterError(
                unknown[0], self.celltype.__class__.__name__, list(self._parameters.present)
            )
        self.celltype.check(values)
        self._parameters.change(simulator.state.tick, values)

    def _initial_array(self, variable: str) -> Any:
        known = self._initial.present.get(variable)
        if known is not None:
            return known
        start = getattr(self.celltype, "start_value", None)
        return np.full(self.size, 0.0 if start is None else start(variable))

    def _set_initial_array(self, variable: str, values: Any) -> None:
        self._initial.change(simulator.state.tick, {variable: values}, is_event=True)

    def _set_initial_value_array(self, variable: str, initial_values: Any) -> None:
        values = initial_values.evaluate(simplify=False)
        self._set_initial_array(
            variable, np.array(np.broadcast_to(values, (self.size,)), dtype=float)
        )

    def _forget_history(self) -> None:
        """After reset(): what is set now counts from the start."""
        self._parameters.forget()
        self._initial.forget()

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)


def _evaluated(space: Any, size: int) -> dict[str, Any]:
    """Native parameters as arrays of `size`; sequences stay objects. Nested ones become `a.b`."""
    space.evaluate(simplify=False)
    found: dict[str, Any] = {}
    for name, value in space.items():
        if isinstance(value, ParameterSpace):
            value.shape = (size,)
            inner = _evaluated(value, size)
            found.update({f"{name}.{key}": item for key, item in inner.items()})
            continue
        array = np.empty(size, dtype=object)
        if isinstance(value, np.ndarray) and value.shape == (size,):
            array[:] = value
        else:
            array[:] = [value] * size
        is_plain = not any(isinstance(item, ArrayParameter) for item in array[:1])
        try:
            found[name] = array.astype(float) if is_plain else array
        except (TypeError, ValueError):
            raise errors.InvalidParameterValueError(f"{name} should be a number") from None
    return found


def root_of(cells: Any) -> tuple[Population, Any]:
    """The population that a view belongs to, and the indices of its cells there."""
    indices = np.arange(cells.size)
    while not isinstance(cells, Population):
        indices = np.arange(cells.parent.size)[cells.mask][indices]
        cells = cells.parent
    return cells, indices


def parts_of(target: Any) -> list[tuple[Population, Any]]:
    """Population, view or assembly as root populations with indices, in the order of its cells."""
    members = target.populations if isinstance(target, common.Assembly) else [target]
    return [root_of(member) for member in members]
