"""Files and rows of ad spend: those that can be used, and the reasons against the others."""

import datetime
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingestion.ad_spend.csv_files import ad_spend_files, read_content
from ingestion.ad_spend.csv_rows import CHANNELS, AdSpendRow, RejectedRow, UnusableFile, read_rows
from ingestion.landing.files import LandingError, LandingRoot

HEADER = "date,utm_source,cost_cents"
COST = "cost_cents: not a whole number of cents from 0 to 1000000000000, in digits only; write 12.50 as 1250"
SEEDS = Path(__file__).parents[4] / "dbt_project" / "seeds" / "_seeds.yml"


def rows_of(*lines: str, header: str = HEADER) -> list[tuple[int, AdSpendRow] | RejectedRow]:
    return list(read_rows("ad_spend/a.csv", "\n".join((header, *lines))))


def row_of(line: str, header: str = HEADER) -> AdSpendRow:
    [(_, row)] = rows_of(line, header=header)  # type: ignore[misc]
    return row  # type: ignore[no-any-return]


def reasons_of(line: str, header: str = HEADER) -> tuple[str, ...]:
    [row] = rows_of(line, header=header)
    assert isinstance(row, RejectedRow), row
    return row.reasons


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("date,utm_source,cost_cents,clicks", "2026-10-31,google,1250,7"),
        ("Clicks,costCents,utmSource,Date", "7,1250,google,2026-10-31"),
        (" DATE , UTM_SOURCE , COST_CENTS , CLICKS ", " 2026-10-31 , google , 1250 , 7 "),
    ],
)
def test_columns_come_in_any_order_and_spelling(header: str, line: str) -> None:
    assert row_of(line, header) == AdSpendRow.model_construct(
        date=datetime.date(2026, 10, 31),
        channel=None,
        utm_source="google",
        utm_medium=None,
        utm_campaign=None,
        cost_cents=1250,
        impressions=None,
        clicks=7,
    )


def test_a_channel_has_the_name_that_visits_have() -> None:
    assert row_of("2026-10-31,PAID social,5", "date,channel,cost_cents").channel == "Paid Social"
    (rules,) = (seed for seed in yaml.safe_load(SEEDS.read_text())["seeds"] if seed["name"] == "channel_rules")
    (test,) = rules["data_tests"]
    assert test["usable_channel_rules"]["arguments"]["channels"] == list(CHANNELS)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-10-32,google,1", "date: not a day such as 2026-10-31"),
        ("20261031,google,1", "date: not a day such as 2026-10-31"),
        ("0026-10-31,google,1", "date: not a day such as 2026-10-31"),
        ("1790812800,google,1", "date: not a day such as 2026-10-31"),
        ("2026-10-31,google,12.50", COST),
        ("2026-10-31,google,", COST),
        ("2026-10-31,google,-1", COST),
        ("2026-10-31,google,1_000", COST),
        ("2026-10-31,google,٣", COST),
        (f"2026-10-31,google,{10**12 + 1}", COST),
        ("2026-10-31,google,1250.0", COST),
        (f"2026-10-31,{'x' * 256},1", "utm_source: not a text of at most 255 characters"),
        ("2026-10-31,a\0b,1", "utm_source: not a text of at most 255 characters"),
        ("2026-10-31,,1", "row: names neither a channel nor a utm_source, medium or campaign"),
        (
            "2026-10-31,google,1,250",
            "row: 4 fields where the header names 3; quote a text that has a comma",
        ),
    ],
)
def test_a_bad_row_says_which_column_must_be_what(line: str, reason: str) -> None:
    assert reasons_of(line) == (reason,)


def test_an_unknown_channel_is_told_the_known_ones() -> None:
    [reason] = reasons_of("2026-10-31,Paid Serch,1", "date,channel,cost_cents")
    assert reason.startswith("channel: not one of Direct, Cross-network, Paid Shopping")


def test_amounts_and_counts_have_the_limit_of_every_amount() -> None:
    """No sum over years leaves what a column holds."""
    assert row_of(f"2026-10-31,google,{10**12}").cost_cents == 10**12
    [reason] = reasons_of(f"2026-10-31,google,1,{10**12 + 1}", f"{HEADER},clicks")
    assert reason.startswith("clicks: not a whole number from 0 to 1000000000000")


def test_rows_are_numbered_by_their_first_line_and_blank_lines_are_none() -> None:
    rows = rows_of("2026-10-31,a,1", "", " , ,", '2026-10-31,"two\nlines",1', "2026-10-31,b,1")
    assert [row[0] for row in rows] == [2, 5, 7]
    assert not isinstance(rows[1], RejectedRow)


def test_personal_data_is_not_kept_with_a_rejected_row() -> None:
    [row] = rows_of("2026-10-31,jane.doe@mail.example,x")
    assert isinstance(row, RejectedRow)
    assert row.line == "2026-10-31,[redacted],x"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ad_spend/a.csv: empty; its first line has to name the columns"),
        ("2026-10-31,google,1250\n", "ad_spend/a.csv, line 1: no header; name the columns date, channel,"),
        ("date;utm_source;cost_cents\n", "ad_spend/a.csv, line 1: no header; name the columns"),
        ("date,utm_source,cost_cents,cpc\n", "ad_spend/a.csv, line 1: unknown columns 'cpc'; name the columns"),
        ("date,utm_source,utmSource,cost_cents\n", "ad_spend/a.csv, line 1: a column is named twice"),
        ("date,utm_source,clicks\n", "ad_spend/a.csv, line 1: no column cost_cents; name"),
        ("utm_source\n", "ad_spend/a.csv, line 1: no column date and no column cost_cents; name"),
        ("date,cost_cents\n", "ad_spend/a.csv, line 1: no column of channel, utm_source, utm_medium, utm_campaign;"),
        (f'{HEADER}\n2026-10-31,a,1\n2026-10-31,"a,1\n', "ad_spend/a.csv, line 3: not CSV"),
    ],
)
def test_a_file_whose_columns_cannot_be_trusted_is_refused_whole(text: str, reason: str) -> None:
    with pytest.raises(UnusableFile, match=f"^{re.escape(reason)}"):
        list(read_rows("ad_spend/a.csv", text))


@given(st.text() | st.text().map(lambda text: f"{HEADER}\n{text}"))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    try:
        rows = list(read_rows("ad_spend/a.csv", text))
    except UnusableFile:
        return
    assert all(row.reasons and "\0" not in row.line for row in rows if isinstance(row, RejectedRow))


def test_files_are_found_and_others_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "ad_spend"
    (folder / "old.csv").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "c.csv.tmp", ".d.csv", "_SUCCESS", "plan.xlsx"):
        (folder / name).touch()
    files, others = ad_spend_files(tmp_path)
    assert [file.name for file in files] == ["ad_spend/a.csv", "ad_spend/b.csv"]
    assert others == {
        name: f"{name}: not a file named <name>.csv; save it as CSV, or move it out of ad_spend/"
        for name in ("ad_spend/old.csv", "ad_spend/plan.xlsx")
    }


def test_a_byte_order_mark_is_no_part_of_the_header_and_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ad_spend" / "a.csv"
    path.parent.mkdir()
    path.write_bytes(f"{HEADER}\n".encode("utf-8-sig"))
    [file], _ = ad_spend_files(tmp_path)
    assert read_content(file)[0] == f"{HEADER}\n"
    path.write_bytes(f"{HEADER}\n".encode("utf-16"))
    [file], _ = ad_spend_files(tmp_path)
    with pytest.raises(UnusableFile, match="not UTF-8"):
        read_content(file)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_is_not_followed_and_told_with_the_setting(tmp_path: Path, what: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.csv").write_text("secret")
    root = tmp_path / "landing"
    root.mkdir()
    if what == "folder":
        (root / "ad_spend").symlink_to(outside)
        with pytest.raises(LandingError, match=r"symbolic link.* WAREHOUSE_FOLLOW_SYMLINKS=true"):
            ad_spend_files(root)
    else:
        (root / "ad_spend").mkdir()
        (root / "ad_spend" / "a.csv").symlink_to(outside / "a.csv")
        files, others = ad_spend_files(root)
        assert files == []
        assert re.search(r"symbolic link.* WAREHOUSE_FOLLOW_SYMLINKS=true", others["ad_spend/a.csv"])
    files, _ = ad_spend_files(LandingRoot.from_url(root, follows_links=True))
    assert [read_content(file)[0] for file in files] == ["secret"]
