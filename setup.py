"""Map the top-level folders onto the package `interspike`; new format folders are found by themselves."""

from setuptools import find_namespace_packages, setup

FOLDERS = (
    "app",
    "canonical_model",
    "exporters",
    "importers",
    "nest",
    "solvers",
    "spinnaker2",
)
INCLUDE = [pattern for name in FOLDERS for pattern in (name, f"{name}.*")]

setup(
    packages=["interspike"]
    + [f"interspike.{name}" for name in find_namespace_packages(".", include=INCLUDE)],
    package_data={"": ["*.c", "*.h", "*.ld", "*.jinja", "*.types", "*.lark", "py.typed", "*.mk"]},
)
