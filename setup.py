"""Map the top-level folders onto the package `interspike`; new format folders are found by themselves."""

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

FOLDERS = (
    "app",
    "canonical_model",
    "exporters",
    "importers",
    "lems_types",
    "nest",
    "solvers",
    "spinnaker2",
)
INCLUDE = [pattern for name in FOLDERS for pattern in (name, f"{name}.*")]


class BuildWithoutSetup(build_py):
    """The root folder is the package, but this file is no part of it."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if module[:2] != ("interspike", "setup")]


setup(
    packages=["interspike"]
    + [f"interspike.{name}" for name in find_namespace_packages(".", include=INCLUDE)],
    package_data={"": ["*.c", "*.h", "*.ld", "*.jinja", "*.types", "*.lark", "py.typed", "*.mk"]},
    cmdclass={"build_py": BuildWithoutSetup},
)
