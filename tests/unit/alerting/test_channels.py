"""Channels that settings name, and settings that cannot be used."""

import pytest

from alerting.channels import ChannelSettingsError, configured


def test_without_settings_there_is_no_channel() -> None:
    assert configured(webhook="", smtp="", sender="", recipients="") == []


def test_both_channels_may_be_named() -> None:
    found = configured(
        webhook="https://hooks.example/x", smtp="smtps://a:b@mail.example", sender="a@b", recipients="c@d, e@f"
    )
    assert [channel.name for channel in found] == ["webhook", "email"]


@pytest.mark.parametrize(
    "settings",
    [
        {"webhook": "hooks.example/secret"},
        {"webhook": "ftp://hooks.example/secret"},
        {"smtp": "mail.example", "sender": "a@b", "recipients": "c@d"},
        {"smtp": "smtp://u:secret@mail.example:nonsense", "sender": "a@b", "recipients": "c@d"},
        {"smtp": "smtp://u:secret@mail.example", "sender": "", "recipients": "c@d"},
        {"smtp": "smtp://u:secret@mail.example", "sender": "a@b", "recipients": " , "},
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_value(settings: dict[str, str]) -> None:
    with pytest.raises(ChannelSettingsError, match="WAREHOUSE_ALERT") as caught:
        configured(**{"webhook": "", "smtp": "", "sender": "", "recipients": "", **settings})
    assert "secret" not in str(caught.value)
