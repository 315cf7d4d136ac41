"""CSV files: encodings, delimiters, headers, and rows that are none."""

import csv
import io

import pytest

from service.errors import InvalidError, NotFoundError
from service.imports.groups import GROUPS
from service.imports.report import Tally, escaped, reporting
from service.imports.responses import responses, responses_of
from service.imports.roster import ROSTER
from service.imports.rows import Rejection
from service.imports.tables import Table, check_header, header_of
from service.instruments import load_instruments
from tests.service.imports.files import group_row, table


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file.csv"


def records(source):
    return list(source.records())


def as_bytes(rows, *, delimiter=",", bom=b""):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(GROUPS.header)
    writer.writerows([row.get(name, "") for name in GROUPS.header] for row in rows)
    return bom + out.getvalue().encode()


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_commas_and_semicolons_are_told_by_the_header_with_or_without_a_mark(file, delimiter, bom):
    file.write_bytes(as_bytes([group_row(1)], delimiter=delimiter, bom=bom))
    names, found = header_of(file, None, GROUPS.header)
    check_header(names, GROUPS.header)
    assert found == delimiter
    (record,) = records(Table(file, GROUPS, found))
    assert (record.row, record.values["key"], record.values["capacity"]) == (2, "g1", 12)


def test_a_delimiter_that_is_named_is_not_looked_for(file):
    file.write_bytes(as_bytes([group_row(1)]))
    names, found = header_of(file, ";", GROUPS.header)
    assert (len(names), found) == (1, ";")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((*GROUPS.header, "colour", "si\x1b[2Jze"), r"unknown columns: colour, si\?\[2Jze"),
        (GROUPS.header[1:], "missing columns: key"),
        (("Key", *GROUPS.header[1:]), "unknown columns: Key; missing columns: key"),
        ((*GROUPS.header, ""), r"unknown columns: \(no name\)"),
        ((*GROUPS.header, "key"), "a column stands twice"),
        ((), "missing columns"),
    ],
)
def test_a_header_that_is_not_the_templates_is_refused_by_name(names, said):
    with pytest.raises(InvalidError, match=said):
        check_header(names, GROUPS.header)


def test_columns_may_stand_in_any_order(file):
    names = list(reversed(GROUPS.header))
    check_header(names, GROUPS.header)
    cells = [group_row(3).get(name, "") for name in names]
    file.write_text("\n".join([",".join(names), ",".join(cells)]), encoding="utf-8")
    (record,) = records(Table(file, GROUPS, ","))
    assert record.values["key"] == "g3"


def test_a_file_whose_header_changed_meanwhile_is_refused(file):
    file.write_text("key,nothing\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidError, match="unknown columns"):
        records(Table(file, GROUPS, ","))


def test_comments_are_left_out_and_empty_rows_are_none(file):
    source = table(file, GROUPS, [group_row(1), {"key": "# a note"}, {}, group_row(2)])
    found = records(source)
    assert [(each.row, each.ignored) for each in found] == [(2, None), (3, "comment"), (5, None)]


def test_a_cell_of_several_lines_is_one_row_and_rows_are_lines_of_the_file(file):
    source = table(file, GROUPS, [group_row(1, purpose="a\nb\nc"), group_row(2)])
    first, second = records(source)
    assert (first.row, first.values["purpose"], second.row) == (2, "a\nb\nc", 5)


def test_each_cell_that_breaks_a_rule_is_named(file):
    row = group_row(1, capacity="many", modality="", part2="maybe")
    (record,) = records(table(file, GROUPS, [row]))
    assert record.rejections == (
        Rejection(2, "modality", "must not be empty"),
        Rejection(2, "capacity", "must be a whole number, such as 12"),
        Rejection(2, "part2", "must be true or false"),
    )


def test_a_row_of_another_length_or_no_csv_is_rejected_and_the_next_is_read(file):
    lines = [",".join(GROUPS.header), "g1,too,few", 'g2,"quo"ted', "x" * 140_000, "g4"]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = [(each.row, each.rejections[0].rule) for each in records(Table(file, GROUPS, ","))]
    assert [row for row, _ in found] == [2, 3, 4, 5]
    assert found[0][1] == "the row has 3 cells, the header has 17"
    assert "not CSV" in found[1][1]
    assert "not CSV" in found[2][1]


def test_a_byte_that_is_not_utf8_is_of_its_row(file):
    content = as_bytes([group_row(1, purpose="Caf@"), group_row(2)]).replace(b"@", b"\xe9")
    file.write_bytes(content)
    bad, good = records(Table(file, GROUPS, ","))
    assert bad.rejections == (Rejection(2, "purpose", "must be UTF-8"),)
    assert not good.rejections


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(NotFoundError, match="cannot be read"):
        header_of(tmp_path / "none.csv", None, [])


def test_the_columns_tell_which_instrument_it_is():
    for instrument in load_instruments().values():
        header = responses(instrument).header
        assert responses_of(header).header == header


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_of_a_report_is_a_formula(tmp_path, cell):
    file = tmp_path / "report.csv"
    with reporting(file) as report:
        report.add(Tally(rejected=1, rejections=[Rejection(2, cell, "a rule")]))
    with file.open(newline="", encoding="utf-8") as opened:
        header, row = csv.reader(opened)
    assert header == ["row", "column", "rule"]
    assert row == ["2", f"'{cell}", "a rule"]
    assert escaped("plain") == "plain"


def test_a_report_that_cannot_be_written_is_said_so(tmp_path):
    with pytest.raises(InvalidError, match="cannot be written"), reporting(tmp_path):
        pass


def test_a_table_without_a_person_names_the_record_number(file):
    source = table(file, ROSTER, [])
    assert source.column("patient_id", {"patient_id": None}) == "mrn"
    assert source.column("patient_id", {"patient_id": "x"}) == "patient_id"
