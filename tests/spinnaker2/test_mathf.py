"""Accuracy of the single-precision functions over their whole range, against float64."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "spinnaker2" / "runtime"
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")

# function, float64 truth, range, largest error in units in the last place (or absolute where given)
UNARY = [
    ("exp", np.exp, -87.0, 88.7, 1.5),
    ("expm1", np.expm1, -17.0, 88.0, 2.5),
    ("log", np.log, 1e-37, 1e38, 1.5),
    ("log10", np.log10, 1e-37, 1e38, 2.5),
    ("sinh", np.sinh, -85.0, 85.0, 4.0),
    ("cosh", np.cosh, -85.0, 85.0, 3.0),
    ("tanh", np.tanh, -12.0, 12.0, 4.0),
    ("atan", np.arctan, -1e3, 1e3, 3.0),
]
POINTS = 200_000


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    place = tmp_path_factory.mktemp("mathf") / "mathf.so"
    subprocess.run(
        ["cc", "-std=c11", "-O2", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC",
         str(RUNTIME / "mathf.c"), "-o", str(place)],
        check=True,
    )  # fmt: skip
    return ctypes.CDLL(str(place))


def apply(library: ctypes.CDLL, name: str, *columns: np.ndarray) -> np.ndarray:
    function = getattr(library, f"m_{name}")
    function.restype = ctypes.c_float
    function.argtypes = [ctypes.c_float] * len(columns)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    return np.array([function(*row) for row in rows], dtype=np.float32)


def ulps(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    size = np.spacing(np.maximum(np.abs(truth), 1.2e-38).astype(np.float32)).astype(float)
    return np.abs(found.astype(float) - truth) / size


def sample(low: float, high: float, count: int) -> np.ndarray:
    random = np.random.default_rng(1)
    if low > 0:
        values = np.exp(random.uniform(math.log(low), math.log(high), count))
    else:
        values = random.uniform(low, high, count)
    return values.astype(np.float32)


@pytest.mark.parametrize(("name", "truth", "low", "high", "bound"), UNARY, ids=lambda v: str(v)[:8])
def test_error_stays_within_the_stated_bound(library, name, truth, low, high, bound) -> None:
    x = np.concatenate(
        [sample(low, high, POINTS // 4), sample(max(low, -1.0), min(high, 1.0), 20_000)]
    )
    worst = ulps(apply(library, name, x), truth(x.astype(float)))
    assert worst.max() <= bound, f"{name}: {worst.max():.2f} ulp at {x[worst.argmax()]!r}"


@pytest.mark.parametrize(("name", "truth"), [("sin", np.sin), ("cos", np.cos)])
def test_trigonometry_is_good_to_a_few_float_steps_of_one(library, name, truth) -> None:
    x = sample(-1000.0, 1000.0, POINTS // 4)
    error = np.abs(apply(library, name, x).astype(float) - truth(x.astype(float)))
    assert error.max() < 1.2e-7


def test_powers(library) -> None:
    x, y = sample(1e-6, 1e6, 50_000), sample(-4.0, 4.0, 50_000)
    truth = x.astype(float) ** y.astype(float)
    worst = ulps(apply(library, "pow", x, y), truth)
    assert worst.max() < 8.0
    assert apply(library, "pow", np.float32([-2.0]), np.float32([3.0]))[0] == -8.0


def test_exprel_at_and_near_zero(library) -> None:
    x = np.float32([0.0, 1e-38, 1e-20, -1e-10, 1e-5, 0.5, -3.0, 20.0])
    truth = np.where(
        x == 0, 1.0, np.expm1(x.astype(float)) / np.where(x == 0, 1.0, x.astype(float))
    )
    assert ulps(apply(library, "exprel", x), truth).max() < 4.0


def test_special_values(library) -> None:
    infinite, nothing = np.float32(np.inf), np.float32(np.nan)
    x = np.float32([infinite, -infinite, nothing, 200.0, -200.0])
    assert apply(library, "exp", x).tolist()[:2] == [np.inf, 0.0]
    assert apply(library, "exp", x).tolist()[3:] == [np.inf, 0.0]
    assert math.isnan(apply(library, "exp", x)[2])
    assert apply(library, "log", np.float32([0.0]))[0] == -np.inf
    assert math.isnan(apply(library, "log", np.float32([-1.0]))[0])


@pytest.mark.parametrize(
    ("name", "truth"), [("floor", np.floor), ("ceil", np.ceil), ("round", np.round)]
)
def test_rounding_is_exact(library, name, truth) -> None:
    x = np.concatenate(
        [sample(-100.0, 100.0, 20_000), np.float32([0.5, 1.5, 2.5, -0.5, 1e9, -1e30])]
    )
    assert np.array_equal(apply(library, name, x), truth(x))


def test_erf_and_factorial(library) -> None:
    x = sample(-4.0, 4.0, 20_000)
    truth = np.array([math.erf(v) for v in x.astype(float)])
    assert np.abs(apply(library, "erf", x) - truth).max() < 4e-7
    assert apply(library, "factorial", np.float32([0.0, 5.0, 10.0])).tolist() == [
        1.0,
        120.0,
        3628800.0,
    ]
