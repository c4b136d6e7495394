"""Values of parameters for which two lists of expressions agree at all points: least squares, then proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from ...canonical_model.expr import Expr, free_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

MAX_STARTS = 6
MAX_WAYS = 20_000
MAX_STEPS = 40
SLOW = (
    0.7  # a step that leaves more than this share of the gap is slow; five in a row end the search
)
STRIDES = (1, 3, 5, 7, 11, 13, 17, 19, 23)
BAD = 1e6


def identify(
    own: Sequence[Expr],
    other: Sequence[Expr],
    points: tuple[Mapping[str, Any], Mapping[str, Any]],
    proof: tuple[Mapping[str, Any], Mapping[str, Any]],
    unknown: Sequence[str],
    starts: Mapping[str, Sequence[float]],
    tolerance: float,
    exact: frozenset[str] = frozenset(),
    likely: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, float] | None:
    """Values of `unknown`, names of `other` only; None if nothing is found that `proof` confirms.

    All but those in `exact` are rounded to what an author may have written.

    `points` and `proof` hold values of all other names of `own` and of `other`. `starts` are values that the
    unknowns may well have, `likely` those to begin with where they are known.
    """
    import numpy as np

    first, second = _Compiled(own), _Compiled(other)
    wanted = first(points[0], ())
    if not np.all(np.isfinite(wanted)):
        return None
    sizes = np.sqrt(np.mean(wanted**2, axis=1, keepdims=True))
    sizes[sizes == 0] = 1.0

    def gap(values: Array, where: Mapping[str, Any], target: Array) -> Array:
        settings = dict(zip(unknown, values, strict=True))
        return np.asarray(((second(where, settings) - target) / sizes).ravel())

    checks = first(proof[0], ())
    if not np.all(np.isfinite(checks)):
        return None
    settled = _by_rows(other, points[1], wanted / sizes, sizes, unknown, starts, tolerance)
    usual = _starts(unknown, starts)
    places = [k for k, name in enumerate(unknown) if name in settled]
    better = [start.copy() for start in usual[: 1 if len(places) == len(unknown) else None]]
    for start in better:
        start[places] = [settled[unknown[k]] for k in places]
    hinted = [np.array([likely.get(n, v) for n, v in zip(unknown, usual[0], strict=True)])]
    for start in [*(hinted if likely else ()), *(better if places else ()), *usual]:
        values = _least_squares(lambda v: gap(v, points[1], wanted), start)
        values = _sparse(lambda v: gap(v, points[1], wanted), values, tolerance)
        values = _snapped(values, unknown, starts, exact)
        if np.max(np.abs(gap(values, points[1], wanted))) > tolerance:
            continue
        # far from where the values were found terms may be much larger: each point by its own size
        far = np.maximum(np.abs(checks) / sizes, 1.0).ravel()
        if np.max(np.abs(gap(values, proof[1], checks)) / far) <= tolerance:
            return dict(zip(unknown, (float(v) for v in values), strict=True))
    return None


class _Compiled:
    """Expressions as one piece of code; calling it gives an array (expression, point)."""

    def __init__(self, exprs: Sequence[Expr]) -> None:
        from ...solvers.numpy_printer import print_numpy

        names = {n: f"v[{n!r}]" for e in exprs for n in free_names(e)}
        source = ", ".join(print_numpy(expr, names) for expr in exprs)
        self.code = compile(f"({source},)", "<equations>", "eval")

    def __call__(self, values: Mapping[str, Any], more: Any) -> Array:
        import numpy as np

        found = self.at({**values, **dict(more)})
        shape = (len(values["t"]),)
        return np.stack([np.broadcast_to(np.asarray(x, dtype=float), shape) for x in found])

    def at(self, settings: Mapping[str, Any]) -> Sequence[Any]:
        """Each expression with these values, in the shape that they give it."""
        import numpy as np

        from ...solvers import numeric

        scope = {"np": np, "nm": numeric, "v": settings, "__builtins__": {"bool": bool}}
        with np.errstate(all="ignore"):
            found: Sequence[Any] = eval(self.code, scope)
        return found


def _by_rows(
    other: Sequence[Expr],
    points: Mapping[str, Any],
    wanted: Array,
    sizes: Array,
    unknown: Sequence[str],
    starts: Mapping[str, Sequence[float]],
    tolerance: float,
) -> dict[str, float]:
    """Unknowns that have the very values that they may have, found by one expression after another.

    A test or a reset holds one or two unknowns, a rate several, of which others have told most by then.
    """
    import numpy as np

    rows = sorted(range(len(other)), key=lambda k: len(free_names(other[k]) & set(unknown)))
    settled: dict[str, float] = {}
    for k in rows:
        free = [name for name in unknown if name in free_names(other[k]) and name not in settled]
        ways = [list(starts.get(name, ())) for name in free]
        if not free or not 0 < np.prod([len(way) for way in ways], dtype=float) <= MAX_WAYS:
            continue
        grid = np.array(list(product(*ways)))
        settings = {name: grid[:, [j]] for j, name in enumerate(free)}
        found = _Compiled([other[k]]).at({**points, **settled, **settings})[0] / sizes[k]
        gaps = np.broadcast_to(found, (len(grid), wanted.shape[1])) - wanted[k]
        agree = grid[np.max(np.abs(_bounded(gaps)), axis=1) <= tolerance]
        if len(agree):
            settled |= {
                n: float(v[0]) for n, v in zip(free, agree.T, strict=True) if np.ptp(v) == 0
            }
    return settled


def _starts(unknown: Sequence[str], starts: Mapping[str, Sequence[float]]) -> list[Array]:
    """Combinations of likely values, each name going through its own at a different pace."""
    import numpy as np

    lists = [list(starts.get(name, ())) or [1.0] for name in unknown]
    count = min(MAX_STARTS, int(np.prod([len(item) for item in lists], dtype=float)))
    return [
        np.array(
            [item[(k * STRIDES[n % len(STRIDES)] + n) % len(item)] for n, item in enumerate(lists)]
        )
        for k in range(max(count, 1))
    ]


def _least_squares(gap: Callable[[Array], Array], start: Array) -> Array:
    """Levenberg and Marquardt's way to a minimum of the sum of squares."""
    import numpy as np

    values, damping, slow = start.astype(float), 1e-3, 0
    now = _bounded(gap(values))
    for _ in range(MAX_STEPS):
        if np.max(np.abs(now), initial=0.0) < 1e-13 or not len(values):
            break
        slope = _slope(gap, values)
        normal = slope.T @ slope
        for _ in range(8):
            matrix = normal + damping * np.diag(np.diag(normal) + 1e-12)
            move = np.linalg.lstsq(matrix, -slope.T @ now, rcond=None)[0]
            then = _bounded(gap(values + move))
            if then @ then < now @ now:
                slow = slow + 1 if then @ then > SLOW * (now @ now) else 0
                values, now, damping = values + move, then, max(damping / 10, 1e-14)
                break
            damping = min(damping * 10, 1e12)
        else:
            break
        if slow > 4:
            break
    return values


def _sparse(gap: Callable[[Array], Array], values: Array, tolerance: float) -> Array:
    """Where several values do, one of them zero: two parameters that do the same are not both needed."""
    import numpy as np

    if not len(values) or np.max(np.abs(_bounded(gap(values)))) > tolerance:
        return values
    slope = _slope(gap, values)
    norms = np.linalg.norm(slope, axis=0)
    used = norms > 0
    if not used.any():
        return values
    scaled = slope[:, used] / norms[used]
    _, sizes, rows = np.linalg.svd(scaled)
    null = rows[int(np.sum(sizes > 1e-6 * sizes[0])) :]
    if not len(null):
        return values
    open_places = np.flatnonzero(used)[np.max(np.abs(null), axis=0) > 1e-3]
    for place in open_places:
        free = np.array([k for k in range(len(values)) if k != place])

        def rest(part: Array, place: int = int(place), free: Array = free) -> Array:
            whole = values.copy()
            whole[place], whole[free] = 0.0, part
            return gap(whole)

        found = _least_squares(rest, values[free])
        if np.max(np.abs(_bounded(rest(found)))) <= tolerance:
            better = values.copy()
            better[place], better[free] = 0.0, found
            return better
    return values


def _slope(gap: Callable[[Array], Array], values: Array) -> Array:
    """The derivative of each gap by each value."""
    import numpy as np

    columns = []
    for k in range(len(values)):
        step = 1e-6 * max(abs(values[k]), 1e-3)
        up, down = values.copy(), values.copy()
        up[k] += step
        down[k] -= step
        columns.append((_bounded(gap(up)) - _bounded(gap(down))) / (2 * step))
    return np.stack(columns, axis=1)


def _bounded(gap: Array) -> Array:
    """What cannot be computed counts as far off."""
    import numpy as np

    return np.clip(np.nan_to_num(gap, nan=BAD, posinf=BAD, neginf=-BAD), -BAD, BAD)


def _snapped(
    values: Array,
    unknown: Sequence[str],
    starts: Mapping[str, Sequence[float]],
    exact: frozenset[str],
) -> Array:
    """Values that lie beside a likely one, or a round one, are that one."""
    found = values.copy()
    for k, name in enumerate(unknown):
        if name in exact:
            continue
        near = [s for s in starts.get(name, ()) if abs(s - values[k]) <= 1e-6 * abs(s)]
        found[k] = near[0] if near else float(f"{values[k]:.9g}")
        if abs(values[k]) < 1e-9:
            found[k] = 0.0
    return found


__all__ = ["identify"]
