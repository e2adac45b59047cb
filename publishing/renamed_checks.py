"""Renamed checks: results that older versions recorded under an old name go on under the new one.

The history of a check, the days on which it fails and the gates all look results up by name.
"""

from typing import Final

import psycopg

# Old name to new name, November 2026.
NEW_NAMES: Final = {
    "active_users_show_their_days": "active_users_match_visitor_days",
    "asset_periods_show_their_days": "asset_periods_match_daily_metrics",
    "campaigns_have_what_their_assets_have": "campaign_metrics_match_licensed_assets",
    "cohorts_show_their_days": "cohorts_match_visitor_days",
    "creator_lists_show_their_days": "creator_lists_match_daily_metrics",
    "creators_have_what_their_assets_have": "creator_metrics_match_owned_assets",
    "dropped_fields_stay_rare": "dropped_field_rate_below_threshold",
    "keys_stay_on_one_day": "event_keys_unique_across_days",
    "license_fees_are_as_first_seen": "license_fees_unchanged",
    "placeholder_ids_stay_rare": "placeholder_id_rate_below_threshold",
    "rejections_stay_rare": "rejection_rate_below_threshold",
    "reruns_change_nothing": "rerun_is_idempotent",
    "unattributed_conversions_stay_few": "unattributed_conversion_rate_below_threshold",
}

_RENAME: Final = """
update ops.check_results as results
set check_name = renamed.new_name
from unnest(%s::text[], %s::text[]) as renamed(old_name, new_name)
where results.check_name = renamed.old_name
"""


def rename_recorded_checks(connection: psycopg.Connection) -> None:
    """Move recorded results from old check names to new ones. Changes nothing the second time."""
    connection.execute(_RENAME, [list(NEW_NAMES), list(NEW_NAMES.values())])
