"""Validation lists: settings that are errors."""

import pytest

from ingestion.validation_lists import EventRules


def test_a_hash_key_that_can_be_guessed_is_an_error() -> None:
    with pytest.raises(ValueError, match="WAREHOUSE_HASH_KEY must have at least 16 characters"):
        EventRules().with_settings(hash_key="short")
    assert EventRules().with_settings(hash_key="x" * 16).hash_key == b"x" * 16
