"""The functions `brand_campaigns`: campaigns of a brand with their assets."""

from typing import Final

from publishing.metric_functions.declarations import INVOKER, MetricFunction, body, not_found
from warehouse.roles.readers import BI_READER, BRANDS

_CALLERS: Final = (BI_READER.name, BRANDS.portal.name, BRANDS.group)
_PARAMETERS: Final = "brand_id text, period text"
_ERRORS: Final = "SQLSTATE WH001: no such period; WH002: no such brand, or another one's id."

# Every brand that is not deleted has a campaign: that of what it licenses without a project.
_CAMPAIGNS: Final = f"""
#variable_conflict use_column
begin
    perform marts.period_span(brand_campaigns_campaigns.period);
    return query
    select
        campaigns.metric_date, campaigns.project_id, campaigns.project_name, campaigns.total_spend_cents,
        campaigns.total_impressions, campaigns.total_clicks, campaigns.total_conversions,
        campaigns.total_revenue_cents, campaigns.roi_pct::numeric
    from marts.brand_campaign_metrics as campaigns
    where campaigns.brand_id = brand_campaigns_campaigns.brand_id
        and campaigns.period = brand_campaigns_campaigns.period
    order by campaigns.project_name, campaigns.project_id;
    if not found then
        {not_found("brand", "brand_campaigns_campaigns.brand_id")}
    end if;
end
"""

_ASSETS: Final = """
#variable_conflict use_column
begin
    perform marts.brand_campaigns_campaigns(brand_campaigns_assets.brand_id, brand_campaigns_assets.period);
    return query
    select assets.project_id, assets.ip_asset_id, assets.title, assets.views, assets.clicks, assets.ctr::numeric
    from marts.brand_campaign_assets as assets
    where assets.brand_id = brand_campaigns_assets.brand_id and assets.period = brand_campaigns_assets.period
    order by assets.project_id, assets.views desc, assets.title, assets.ip_asset_id;
end
"""

_ANSWER: Final = """
declare
    span record;
    campaigns jsonb;
    last_day date;
begin
    with
    assets as materialized (
        select part.*, row_number() over () as place
        from marts.brand_campaigns_assets(brand_campaigns.brand_id, brand_campaigns.period) as part
    ),
    listed as (
        select
            coalesce(assets.project_id, '') as project, assets.project_id is null as is_without_project,
            jsonb_agg(to_jsonb(assets) - 'place' - 'project_id' order by assets.place) as assets
        from assets
        group by assets.project_id
    )
    select
        jsonb_agg(
            to_jsonb(part) - 'metric_date' || jsonb_build_object('assets', coalesce(listed.assets, '[]'))
            order by part.project_name, part.project_id
        ),
        max(part.metric_date)
    into campaigns, last_day
    from marts.brand_campaigns_campaigns(brand_campaigns.brand_id, brand_campaigns.period) as part
    left join listed
        on listed.project = coalesce(part.project_id, '') and listed.is_without_project = (part.project_id is null);
    select * into span from marts.period_span(brand_campaigns.period, last_day);
    return jsonb_build_object(
        'brand_id', brand_campaigns.brand_id, 'period', brand_campaigns.period, 'start', span.first_date,
        'end', span.last_date + 1, 'campaigns', campaigns, 'notes', to_jsonb(span.notes)
    );
end
"""

BRAND_FUNCTIONS: Final = (
    MetricFunction(
        "marts.brand_campaigns_campaigns",
        _PARAMETERS,
        body(
            "returns table (metric_date date, project_id text, project_name text, total_spend_cents bigint,"
            " total_impressions bigint, total_clicks bigint, total_conversions bigint, total_revenue_cents bigint,"
            " roi_pct numeric)",
            f"{INVOKER} rows 10",
            _CAMPAIGNS,
        ),
        f"The campaigns of a brand in a period: cost and results. {_ERRORS}",
        _CALLERS,
    ),
    MetricFunction(
        "marts.brand_campaigns_assets",
        _PARAMETERS,
        body(
            "returns table (project_id text, ip_asset_id text, title text, views bigint, clicks bigint, ctr numeric)",
            f"{INVOKER} rows 30",
            _ASSETS,
        ),
        f"The assets of a brand's campaigns in a period. {_ERRORS}",
        _CALLERS,
    ),
    MetricFunction(
        "marts.brand_campaigns",
        _PARAMETERS,
        body("returns jsonb", INVOKER, _ANSWER),
        f"The campaigns of a brand in a period, each with its assets. {_ERRORS}",
        _CALLERS,
    ),
)
