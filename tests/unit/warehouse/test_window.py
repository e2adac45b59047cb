"""Windows and their days; days are read from texts by one function, which says what is wrong with the others."""

from datetime import date

import pytest

from orchestration.cli.environment import Day
from tests.support.command_line import run_command
from warehouse.window import NotADay, Window, parse_day


@pytest.mark.parametrize("text", ["2026-13-01", "yesterday", "2026-10-01T00:00", "0", "01.10.2026"])
def test_a_text_that_is_no_day_is_quoted_with_the_form_of_a_day(text: str) -> None:
    expected = f"give the day as YYYY-MM-DD, not as {text!r}"
    for read in (parse_day, lambda day: Window.parse(day, "2026-10-02"), lambda day: Window.parse("2026-10-02", day)):
        with pytest.raises(NotADay) as raised:
            read(text)
        assert str(raised.value) == expected


def test_the_command_line_quotes_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("sample", "write", "--start", "2026-13-01") == 2
    assert "'--start': give the day as YYYY-MM-DD, not as '2026-13-01'" in capsys.readouterr().err
    assert Day().convert(" 2026-10-01 ", None, None) == date(2026, 10, 1)


def test_the_days_of_a_window_leave_its_end_out() -> None:
    assert list(Window(date(2026, 10, 1), date(2026, 10, 3)).days()) == [date(2026, 10, 1), date(2026, 10, 2)]
