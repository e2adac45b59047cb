"""Variables of .env.local that reach a command."""

import sys
from pathlib import Path

import pytest

from warehouse.env_file import FILE, SettingsFileError, from_env_file, venv_path


def checkout_with(folder: Path, *lines: str) -> Path:
    (folder / FILE).write_text("".join(f"{line}\n" for line in lines))
    return folder


def test_the_shell_wins_over_the_file(tmp_path: Path) -> None:
    checkout = checkout_with(tmp_path, "WAREHOUSE_START_DATE=2026-10-01", "WAREHOUSE_HASH_KEY=from-the-file")

    added = from_env_file({"WAREHOUSE_START_DATE": "2027-01-01"}, checkout)

    assert added == {"WAREHOUSE_HASH_KEY": "from-the-file"}


@pytest.mark.parametrize("line", ["WAREHOUSE_URL=", "#WAREHOUSE_URL=postgresql://a@b/c", "WAREHOUSE_URL"])
def test_an_empty_value_in_the_file_says_nothing(tmp_path: Path, line: str) -> None:
    assert from_env_file({}, checkout_with(tmp_path, line)) == {}


def test_an_empty_value_in_the_shell_says_nothing(tmp_path: Path) -> None:
    checkout = checkout_with(tmp_path, "WAREHOUSE_HASH_KEY=from-the-file")

    assert from_env_file({"WAREHOUSE_HASH_KEY": ""}, checkout) == {"WAREHOUSE_HASH_KEY": "from-the-file"}


def test_a_password_with_a_dollar_sign_stays_as_it_is(tmp_path: Path) -> None:
    checkout = checkout_with(tmp_path, "WAREHOUSE_URL=postgresql://o:a${HOME}b$c@h/d")

    assert from_env_file({"HOME": "/nowhere"}, checkout) == {"WAREHOUSE_URL": "postgresql://o:a${HOME}b$c@h/d"}


@pytest.mark.parametrize("surrounding", [{}, {"LANDING_URL": "landing"}])
def test_a_relative_landing_folder_is_one_of_the_checkout(tmp_path: Path, surrounding: dict[str, str]) -> None:
    checkout = checkout_with(tmp_path, "LANDING_URL=landing")

    assert from_env_file(surrounding, checkout) == {"LANDING_URL": str(tmp_path / "landing")}


@pytest.mark.parametrize("given", ["/data/landing", "s3://bucket/landing"])
def test_an_absolute_landing_folder_is_left_alone(tmp_path: Path, given: str) -> None:
    assert from_env_file({"LANDING_URL": given}, checkout_with(tmp_path, "LANDING_URL=landing")) == {}


def test_without_a_file_the_shell_is_all_there_is(tmp_path: Path) -> None:
    assert from_env_file({"LANDING_URL": "/data/landing"}, tmp_path) == {}


def test_the_installed_programs_come_first_however_often_a_command_starts_another() -> None:
    once = venv_path({"PATH": "/usr/bin:/bin"})

    installed, *rest = once["PATH"].split(":")
    assert installed == str(Path(sys.executable).parent)
    assert rest[:2] == ["/usr/bin", "/bin"]
    assert Path(rest[2], "psql").is_file(), "the embedded server's, for machines that have none"
    assert venv_path(once) == once


def test_a_file_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"LANDING_URL=landing\nWAREHOUSE_HASH_KEY=\xff\n")
    with pytest.raises(SettingsFileError, match=r"\.env\.local, line 2 is not UTF-8: save the file as UTF-8"):
        from_env_file({}, tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(SettingsFileError, match=r"\.env\.local cannot be read: Is a directory"):
        from_env_file({}, tmp_path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xef\xbb\xbfLANDING_URL=/data\n")
    assert from_env_file({}, tmp_path) == {"LANDING_URL": "/data"}
