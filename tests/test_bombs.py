"""Small files that ask for much: refused before the work, with the limit."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import fuzz_inputs
import pytest

from allocator import limits
from allocator.formats.workbook.grid import Unreadable, grids
from allocator.importers.reading import Column, source
from allocator.problems import ScenarioError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>'.encode()
TAIL = b"</sheetData></worksheet>"
SHEET = "xl/worksheets/sheet1.xml"
FAR = "trop étendue : 1048576 lignes × 16384 colonnes"


def xlsx(sheet: bytes, **more: bytes) -> bytes:
    """A workbook of one sheet, and `more` parts by name."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    head = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    parts = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'{head}<Relationship Id="r0" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>'.encode(),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{office}"><sheets>'
        '<sheet name="Fonds" sheetId="1" r:id="r1"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": f'{head}<Relationship Id="r1" Type="{office}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'.encode(),
        SHEET: sheet,
        **more,
    }  # fmt: skip
    return zipped(parts)


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def said_of(data: bytes) -> str:
    """Why a workbook is not read, within the guard of time and memory."""
    with pytest.raises(Unreadable) as error, fuzz_inputs.guarded():
        grids(data, "x")
    return str(error.value.args[0])


def test_the_workbook_itself_is_read() -> None:
    [grid] = grids(xlsx(HEAD + b'<row r="1"><c r="B1"><v>3</v></c></row>' + TAIL), "x")
    assert grid.rows == [[None, 3]]


@pytest.mark.parametrize("cells", [
    '<row r="1"><c r="XFD1"><v>1</v></c></row><row r="1048576"><c><v>1</v></c></row>',
    "<row r='1'><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>",
    '<row r="1"><c r = "A1"><v>1</v></c><c r = "XFD1048576"><v>1</v></c></row>',
    '<row r="1"><c r="a1"><v>1</v></c><c r="xfd1048576"><v>1</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c><c r="XFD0001048576"><v>1</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c><c s=\' r="A1"\' r="XFD1048576"><v>1</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c><c s=">" r="XFD1048576"><v>1</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c><c\nr="XFD1048576"><v>1</v></c></row>',
])  # fmt: skip
@pytest.mark.parametrize("elsewhere", [False, True])
def test_far_cells_in_every_dress(cells: str, elsewhere: bool) -> None:
    """A file of some hundred bytes that made the library ask for 500 GB, which ends the process."""
    data = xlsx(HEAD + cells.encode() + TAIL)
    if elsewhere:  # where sheets usually are not
        data = zipped({name.replace("worksheets/sheet1", "other/x"): text.replace(b"worksheets/sheet1", b"other/x")
                       for name, text in unzipped(data).items()})  # fmt: skip
    assert FAR in said_of(data)


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    "hidden", ["<!-- <c x=\" --><c r='XFD1048576'/><!-- \" -->", '<![CDATA[<c x="]]><c r="XFD1048576"/>']
)
def test_remarks_hide_no_cells(hidden: str) -> None:
    assert "<!" in said_of(xlsx(HEAD + b'<row r="1"><c r="A1"/>' + hidden.encode() + b"</row>" + TAIL))


def test_all_sheets_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SHEET_CELLS", 150)
    wide = HEAD + b'<row r="10"><c r="J10"><v>1</v></c></row>' + TAIL
    assert grids(xlsx(wide), "x")
    assert "trop étendue" in said_of(xlsx(wide, **{"xl/worksheets/sheet2.xml": wide}))


@pytest.mark.parametrize("entity", ['<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
                                    '<!DOCTYPE x SYSTEM "file:///etc/passwd">'])  # fmt: skip
@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_no_entities(entity: str, part: str) -> None:
    parts = unzipped(xlsx(HEAD + TAIL)) | {"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"/>'.encode()}
    parts[part] = entity.encode() + parts[part]
    assert "définit des entités" in said_of(zipped(parts))


def lying(data: bytes, name: str, size: int) -> bytes:
    """The zip with another size declared for a member."""
    out = bytearray(data)
    for mark, at_size, at_name in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        start = -1
        while (start := data.find(mark, start + 1)) >= 0:
            if data[start + at_name :].startswith(name.encode()):
                out[start + at_size : start + at_size + 4] = struct.pack("<I", size)
    return bytes(out)


def test_what_is_packed_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNPACKED_BYTES", 1 << 20)
    bomb = xlsx(HEAD + TAIL, **{"xl/sharedStrings.xml": b" " * (8 << 20)})
    assert len(bomb) < 20_000
    assert "1 Mo au plus" in said_of(bomb)
    assert "abîmé" in said_of(lying(bomb, "xl/sharedStrings.xml", 1000))
    assert "1 Mo au plus" in said_of(xlsx(HEAD + TAIL, **{f"x{k}.xml": b" " * 200_000 for k in range(6)}))
    monkeypatch.setattr(limits, "INDEX_BYTES", 1 << 10)
    assert "0 Mo au plus" in said_of(xlsx(HEAD + TAIL, **{"xl/workbook.xml": b"<a>" * 1000 + b"</a>" * 1000}))


def test_a_part_twice_is_no_workbook() -> None:
    out = io.BytesIO(xlsx(HEAD + TAIL))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr(SHEET, HEAD + TAIL)
    assert "deux fois" in said_of(out.getvalue())


def test_too_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 5)
    assert "5 parties au plus" in said_of(xlsx(HEAD + TAIL, **{f"x{k}": b"" for k in range(6)}))


@pytest.mark.parametrize("row", [
    '<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="string" '
    'table:number-columns-repeated="16000"><text:p>x</text:p></table:table-cell></table:table-row>',
    '<table:table-row><table:table-cell table:formula="of:=1" table:number-columns-repeated="2000000000"/></table:table-row>',
    '<table:table-row table:number-rows-repeated="2000000000"><table:table-cell/></table:table-row>'
    '<table:table-row><table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>',
    '<table:table-row><table:table-cell table:number-columns-repeated="+2000000000"/>'
    '<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>',
])  # fmt: skip
def test_repeated_cells(row: str) -> None:
    parts = unzipped(fuzz_inputs._ods())
    parts["content.xml"] = parts["content.xml"].replace(b"</table:table>", row.encode() + b"</table:table>")
    assert "20000000 cellules au plus" in said_of(zipped(parts))


def test_an_ods_is_not_kept_as_a_tree() -> None:
    """Elements that mean nothing took a hundred bytes each."""
    parts = unzipped(fuzz_inputs._ods())
    parts["content.xml"] = parts["content.xml"].replace(
        b"</table:table>", b"<text:p/>" * 1_000_000 + b"</table:table>", 1
    )
    data, before = zipped(parts), fuzz_inputs._peak(reset=True)
    assert grids(data, "x")
    assert fuzz_inputs._peak() - before < 60


# Public files


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress, lambda data: zipped({"x.csv": data})])
def test_public_tables_have_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(limits, "PUBLIC_BYTES", 1 << 20)
    (tmp_path / "x.csv").write_bytes(pack(b"a;b\n" + b"1;2\n" * 300_000))
    with pytest.raises(ScenarioError, match="trop grande"):
        list(source(tmp_path / "x.csv", [Column("a")]).rows())
    monkeypatch.setattr(limits, "LINE_LETTERS", 1 << 10)
    (tmp_path / "x.csv").write_bytes(pack(b"a;b\n" + b";" * 5000))
    with pytest.raises(ScenarioError, match="une ligne a plus"):
        source(tmp_path / "x.csv", [Column("a")])


def test_public_workbooks_are_counted_too(tmp_path: Path) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    (tmp_path / "x.xlsx").write_bytes(xlsx(HEAD + far.encode() + TAIL))
    with pytest.raises(ScenarioError, match=FAR), fuzz_inputs.guarded():
        source(tmp_path / "x.xlsx", [Column("a")])


def test_a_device_is_no_public_table() -> None:
    with pytest.raises(ScenarioError, match="pas un fichier ordinaire"), fuzz_inputs.guarded():
        source("/dev/zero", [Column("a")])
