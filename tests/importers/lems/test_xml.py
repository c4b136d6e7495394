"""Reading of XML: places, malformed and hostile documents, limits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from interspike.canonical_model.diagnostics import Issue, ModelError, Span
from interspike.importers.xml import Budget, read_xml, read_xml_file


def issue(data: bytes) -> Issue:
    with pytest.raises(ModelError) as caught:
        read_xml(data, "m.xml")
    return caught.value.issues[0]


def test_tree_places_and_text() -> None:
    root = read_xml(b'<a>\n  <ns:b xmlns:ns="u" x="1"\n     y="2"> hello </ns:b>\n</a>', "m.xml")
    child = root.children[0]
    assert (root.tag, child.tag, child.text) == ("a", "b", "hello")
    assert child.span == Span("m.xml", 2, 3)
    assert child.attribute_span("y") == Span("m.xml", 3, 9)
    assert child.attribute_span("absent") == child.span


def test_attribute_name_inside_another_value_is_not_its_place() -> None:
    root = read_xml(b'<a note=" x=\'1\'" x="2"/>', "m.xml")
    assert root.attribute_span("x") == Span("m.xml", 1, 21)


def test_bulk_rows_become_columns_with_lines() -> None:
    text = (
        b'<projection>\n<connection id="0" preCellId="../A/3/iaf" postCellId="B[4]"/>\n'
        b'<connection id="1" preCellId="A[5]" postCellId="../../B/6/c" weight="2"/>\n</projection>'
    )
    table = read_xml(text, "m.xml").tables["connection"]
    assert list(table.index("preCellId")) == [3, 5]
    assert list(table.index("postCellId")) == [4, 6]
    weight = table.floats("weight", 1.0)
    assert weight is not None
    assert list(weight) == [1.0, 2.0]
    assert table.cells["preCellId"].populations == {"A": 2}
    assert list(table.lines) == [2, 3]


@pytest.mark.parametrize("count", [1, 15, 16, 17, 8191, 8192, 8193, 20000])
def test_rows_of_mixed_forms_over_batches(count: int) -> None:
    forms = ("../A/{}/c", "A[{}]", "{}", "B/{}")
    rows = "".join(
        f'<connection preCellId="{forms[k % 4].format(k)}"' + (' delay="2ms"' * (k % 7 == 3)) + "/>"
        for k in range(count)
    )
    table = read_xml(f"<projection>{rows}</projection>".encode(), "m.xml").tables["connection"]
    assert list(table.index("preCellId")) == list(range(count))
    if count > 3:
        codes, units = table.codes("delay")
        assert [units[c] for c in codes] == ["ms" if k % 7 == 3 else "" for k in range(count)]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "L002", 1),
        (b"   \n", "L002", 1),
        (b"\x00\x01\x02\x89PNG\r\n\x1a\n", "L002", 1),
        (b"no xml at all", "L002", 1),
        (b"<a>\n<b>\n</a>", "L002", 3),
        (b"<a>\n<b", "L002", 2),
        (b"<a>\n<b x='1' x='2'/></a>", "L002", 2),
        (b"<a>\n&undefined;</a>", "L002", 2),
        (b"<a/>\n<b/>", "L002", 2),
        (b"<a>\n<b>\xff\xfe</b></a>", "L002", 2),
        (b'<?xml version="1.0" encoding="no-such"?>\n<a/>', "L002", 1),
        (b'<?xml version="1.0" encoding="UTF-16"?>\n<a/>', "L002", 1),
        (b'\n<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "L001", 2),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "L001", 1),
        (b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://h/x">%e;]><a/>', "L001", 1),
        (b"<a>" * 5000, "L003", 1),
        (b'<projection>\n<connection preCellId="A//1"/></projection>', "L033", 2),
        (b'<projection>\n<connection preCellId="A[-1]"/></projection>', "L033", 2),
        ('<projection>\n<connection preCellId="\u00b2"/></projection>'.encode(), "L033", 2),
        (b'<projection><connection preCellId="A[99999999999999999999]"/></projection>', "L033", 1),
        (b'<projection>\n<connectionWD weight="NaN"/></projection>', "L033", 2),
        (b'<projection>\n\n<connectionWD weight="heavy"/></projection>', "L033", 3),
        (b'<population>\n<instance id="-1"/></population>', "L033", 2),
    ],
)  # fmt: skip
def test_bad_documents(data: bytes, code: str, line: int) -> None:
    found = issue(data)
    assert found.code == code, found
    assert found.span is not None
    assert found.span.line == line, found
    assert found.message


def test_entity_bomb_is_refused_at_once() -> None:
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 30)]
    assert issue(f"<!DOCTYPE z [{''.join(lines)}]><z>&a29;</z>".encode()).code == "L001"


def test_utf16_and_latin1_are_read() -> None:
    assert read_xml('<a b="\u00e9"/>'.encode("utf-16"), "m").attributes["b"] == "\u00e9"
    text = '<?xml version="1.0" encoding="iso-8859-1"?><a b="\u00e9"/>'
    assert read_xml(text.encode("latin-1"), "m").attributes["b"] == "\u00e9"


def test_wrong_row_deep_in_a_batch_has_its_line() -> None:
    rows = [f'<connection preCellId="../A/{k}/c"/>' for k in range(12000)]
    rows[11000] = '<connection preCellId="nonsense"/>'
    found = issue(("<projection>\n" + "\n".join(rows) + "</projection>").encode())
    assert found.span is not None
    assert (found.code, found.span.line) == ("L033", 11002)


def test_many_different_attributes_of_rows_are_refused() -> None:
    rows = "".join(f'<connection a{k}="1"/>' for k in range(1000))
    assert issue(f"<projection>{rows}</projection>".encode()).code == "L004"


def test_budget_is_shared() -> None:
    budget = Budget(elements=10)
    read_xml(b"<a><b/><b/></a>", "m", budget)
    with pytest.raises(ModelError, match="L004"):
        read_xml(b"<a>" + b"<b/>" * 8 + b"</a>", "m", budget)


@pytest.mark.parametrize("kind", ["attribute", "text", "elements", "unknown rows"])
def test_fifty_megabytes_of_junk_are_handled_quickly(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "junk.xml"
    size = 50_000_000
    with path.open("wb") as stream:
        if kind == "attribute":
            stream.write(b'<a b="' + b"x" * size + b'"/>')
        elif kind == "text":
            stream.write(b"<a>" + b"x" * size + b"</a>")
        elif kind == "elements":
            stream.write(b"<a>" + b"<b/>" * (size // 4) + b"</a>")
        else:
            stream.write(b"<projection>" + b"<connection/>" * (size // 50) + b"</projection>")
    began = time.process_time()
    if kind in ("attribute", "elements"):
        with pytest.raises(ModelError, match="L004"):
            read_xml_file(path, budget=Budget(elements=100_000))
    else:
        assert read_xml_file(path).span.line == 1
    assert time.process_time() - began < 10


def test_a_folder_or_missing_file_is_l010(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.xml"):
        with pytest.raises(ModelError, match="L010"):
            read_xml_file(path)
