"""Days are read from texts by one function, which says what is wrong with the others."""

import argparse

import pytest

from sample_data.__main__ import main as write_marketplace
from warehouse.window import NotADay, Window, parse_day


@pytest.mark.parametrize("text", ["2026-13-01", "yesterday", "2026-10-01T00:00", "0", "01.10.2026"])
def test_a_text_that_is_no_day_is_quoted_with_the_form_of_a_day(text: str) -> None:
    expected = f"give the day as YYYY-MM-DD, not as {text!r}"
    for read in (parse_day, lambda day: Window.parse(day, "2026-10-02"), lambda day: Window.parse("2026-10-02", day)):
        with pytest.raises(NotADay) as raised:
            read(text)
        assert str(raised.value) == expected


def test_the_command_line_quotes_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        write_marketplace(["--start", "2026-13-01"])
    assert "argument --start: give the day as YYYY-MM-DD, not as '2026-13-01'" in capsys.readouterr().err
    parser = argparse.ArgumentParser()
    parser.add_argument("day", type=parse_day)
    assert parser.parse_args([" 2026-10-01 "]).day.isoformat() == "2026-10-01"
