"""Checks of models that are empty where a test builds others."""

from quality_checks import (
    anomaly_checks,
    attribution,
    brands,
    creator_lists,
    creators,
    periods,
    platform,
    sessions,
    visitors,
)
from quality_checks.registry import RuleCheck

# Checks of a model, or of those made with it, which are empty where only others are built.
CHECKS_OF: dict[str, tuple[RuleCheck, ...]] = {
    "attribution_credits": (attribution.credits_are_conserved, attribution.attribution_adds_up),
    "asset_metrics": (
        periods.weeks_and_months_add_up_to_their_days,
        periods.asset_periods_match_daily_metrics,
        periods.periods_end_with_the_last_day,
    ),
    "platform_metrics": (
        visitors.active_users_match_visitor_days,
        platform.platform_days_add_up,
        platform.platform_periods_add_up,
    ),
    "cohort_retention": (visitors.cohorts_match_visitor_days,),
    "creator_dashboard": (creators.creator_periods_add_up,),
    "creator_top_assets": (creator_lists.creator_lists_match_daily_metrics,),
    "creator_traffic_sources": (
        creators.creator_metrics_match_owned_assets,
        creator_lists.creator_lists_match_daily_metrics,
    ),
    "brand_campaign_metrics": (brands.campaign_metrics_match_licensed_assets, brands.campaign_periods_add_up),
    "sessions": (sessions.sessions_hold_every_event,),
    "sessions_daily": (sessions.sessions_daily_adds_up_sessions,),
    "funnel_daily_by_channel": (sessions.channels_fit_the_funnel,),
    "weekly_metrics_by_channel": (sessions.channel_weeks_add_up_to_their_days,),
    "brand_campaign_assets": (brands.campaign_periods_add_up,),
    "event_source_days": anomaly_checks.CHECKS,
}
