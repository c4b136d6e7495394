"""What the indexes of many exports say; benchmarks/migrate_page.py builds, loads and reads them."""

from __future__ import annotations

import json

from interspike.exporters.artifact import Artifact
from interspike.exporters.joint import joint_names
from interspike.exporters.lems.index import index as lems_index
from interspike.exporters.nest.index import index as nest_index
from interspike.exporters.spinnaker2.index import index as python_index


def nothing(path: str) -> bytes:
    raise AssertionError(path)


def texts(artifacts: tuple[Artifact, ...]) -> dict[str, str]:
    return {item.path: item.data.decode() for item in artifacts}


def test_names_that_meet_bear_their_folders() -> None:
    models = [("a/b", "iaf"), ("a_b", "iaf"), ("c", "hh"), ("c", "a_b_iaf"), ("2d", "iaf")]
    found = joint_names(models)
    assert found == ["a_b_iaf_2", "a_b_iaf_3", "hh", "a_b_iaf", "_2d_iaf"]


def test_one_nest_module_of_all() -> None:
    files = ("models/cell.h", "runtime/interspike_nest.h", "x_module.cpp", "models.json")
    results = {"b": files, "a/c": (*files, "models/class_.h"), "empty": ()}
    found = texts(nest_index(results, nothing))
    assert json.loads(found["models.json"]) == {
        "a_c_cell": "a/c/models/cell.h", "class_": "a/c/models/class_.h",
        "b_cell": "b/models/cell.h",
    }  # fmt: skip
    units = [text for path, text in found.items() if "/unit_" in path]
    assert len(units) == 2
    assert 'register_model< INTERSPIKE_NAMESPACE::cell >( "a_c_cell" );' in units[0]
    # a namespace for each folder, which the module calls
    spaces = [text.split("#define INTERSPIKE_NAMESPACE ")[1].split()[0] for text in units]
    assert len(set(spaces)) == 2
    main = found["interspike_models_module.cpp"]
    assert all(f"interspike::register_{space}();" in main for space in spaces)
    assert all(path in found["CMakeLists.txt"] for path in found if path.endswith(".cpp"))
    assert "/a/c/runtime" in found["CMakeLists.txt"]
    assert nest_index({"a": ("report.json",)}, nothing) == ()


def test_lems_files_that_define_the_same_names_are_apart() -> None:
    text = (
        '<Lems>\n    <Unit symbol="u" dimension="time" power="{power}"/>\n'
        '    <{kind} id="{name}" x="1"/>\n</Lems>\n'
    )
    bodies = {
        "a": text.format(power=1, kind="Simulation", name="sim"),
        "b": text.format(power=1, kind="Simulation", name="sim"),
        "c": text.format(power=1, kind="cell", name="one"),
        "d": text.format(power=2, kind="cell", name="two"),
        "e": '<Lems>\n    <ComponentType name="one">\n        <Child id="sim"/>\n</Lems>\n',
    }
    results = {name: ("m.xml", "LEMS_m.xml", "m.dat") for name in bodies}
    found = texts(lems_index(results, lambda path: bodies[path.partition("/")[0]].encode()))
    listed = {path: [c for c in bodies if f'"{c}/m.xml"' in found[path]] for path in found}
    # types and components have names of their own, a unit may be defined again if it is alike
    assert listed == {
        "index.xml": ["a", "c", "e"], "index_2.xml": ["b"], "index_3.xml": ["d"],
    }  # fmt: skip
    assert "index_2.xml" in found["index.xml"]
    assert lems_index({}, nothing) == ()


def test_python_classes_of_one_name() -> None:
    results = {"x/a": ("cell_application.py", "host.py"), "y": ("cell_application.py",)}
    (artifact,) = python_index(results, nothing)
    scope: dict[str, object] = {}
    exec(compile(artifact.data, artifact.path, "exec"), scope)
    assert scope["CLASSES"] == {
        "x_a_cell": "x/a/cell_application.py", "y_cell": "y/cell_application.py",
    }  # fmt: skip
