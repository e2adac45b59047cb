"""Explained cells of the attribution marts: their rows are conversions, touches, credits and rows of ad spend."""

from typing import Final

from publishing.explain.cells import Cells, Value, same, summed, total

_PATHS: Final = ("intermediate.int_conversion_paths",)
_ORIGIN: Final = ("channel", "source", "medium", "campaign")

# Each credit of the day that goes to the cell's channel, source, medium and campaign.
_CREDITS: Final = f"""
    select credits.converted_at, credits.conversion_id, credits.touch_number, credits.touches, credits.weight,
        credits.credited_cents, credits.touched_at, credits.session_id
    from cell
    inner join marts.attribution_credits as credits
        on credits.metric_date = $1 and {same(("model", *_ORIGIN), "credits")}
"""
_CREDITED: Final = {
    "credited_conversions": total("weight", "the credits"),
    "credited_cents": total("credited_cents", "the credits"),
}

# What the model divides anew among all touches of the conversion.
_DIVISION: Final = """
    select divided.touch_number, divided.session_id, divided.channel, divided.touched_at, divided.touches,
        divided.weight, divided.credited_cents, divided.conversion_cents,
        divided.touch_number is not distinct from cell.touch_number as is_explained
    from cell
    cross join lateral ops.conversion_credits(cell.metric_date, cell.conversion_id) as divided
    where divided.model = cell.model
"""
_DIVIDED: Final = {
    "weight": Value(summed("weight", "is_explained"), "the touch's weight, when the model divides the conversion"),
    "credited_cents": Value(
        summed("credited_cents", "is_explained"), "the touch's cents, when the conversion is divided by the weights"
    ),
    "conversion_cents": Value("max(conversion_cents)", "the conversion's value"),
    "touches": Value("count(touch_number)", "number of touches of the path"),
}

_CONVERSIONS: Final = """
    select touches.converted_at, touches.conversion_id, touches.value_cents, count(touches.session_id) as touches,
        cast(extract(epoch from touches.converted_at - min(touches.touched_at)) as numeric(20, 6))
            as seconds_to_convert,
        touches.visitor_id
    from cell
    inner join intermediate.int_conversion_paths as touches on touches.conversion_date = $1
    group by touches.conversion_id, touches.converted_at, touches.value_cents, touches.visitor_id, cell.path
    having coalesce(string_agg(touches.channel, ' > ' order by touches.touch_number), 'Unattributed') = cell.path
"""
_PATH_VALUES: Final = {
    "conversions": Value("count(*)", "number of conversions with this path"),
    "unique_visitors": Value("count(distinct visitor_id)", "number of distinct visitors of the conversions"),
    "revenue_cents": Value("coalesce(sum(value_cents), 0)", "sum of the conversions' values"),
    "path_length": Value("max(touches)", "number of touches of the path"),
    "avg_days_to_convert": Value(
        "sum(seconds_to_convert) / (86400 * count(*))", "mean of the days from the first touch to the conversion"
    ),
}

# Spend and credit meet where spend names a campaign or source; spend on a channel alone has a row of its own.
_ROAS: Final = f"""
    select 'credit' as kind, credits.converted_at as at, credits.conversion_id::text as id, credits.touch_number,
        credits.weight, credits.credited_cents, null::bigint as cost_cents, null::bigint as impressions,
        null::bigint as clicks, null as spend_file, null::bigint as spend_line_number
    from cell
    inner join marts.attribution_credits as credits
        on credits.metric_date = $1 and {same(("model", *_ORIGIN), "credits")} and cell.spend_level <> 'channel'
    union all
    select 'spend', null, spend.channel, null, null, null, spend.cost_cents, spend.impressions, spend.clicks,
        loads.file, spend.line_number
    from cell
    inner join intermediate.int_ad_spend_with_channel as named
        on named.spend_date = $1 and {same(_ORIGIN, "named")} and cell.spend_level <> 'none'
    inner join raw.ad_spend as spend
        on spend.spend_date = $1 and spend.channel is not distinct from named.named_channel
            and coalesce(spend.utm_source_normalized, '(not set)') = named.source
            and coalesce(spend.utm_medium_normalized, '(not set)') = named.medium
            and coalesce(spend.utm_campaign_normalized, '(not set)') = named.campaign
    left join ops.ad_spend_loads as loads using (load_id)
"""
_COST: Final = summed("cost_cents")
_ROAS_VALUES: Final = {
    "cost_cents": Value(_COST, "sum of the cost in the rows of ad spend files", "kind = 'spend'"),
    "impressions": Value("sum(impressions)", "sum of the impressions in the rows of ad spend files", "kind = 'spend'"),
    "clicks": Value("sum(clicks)", "sum of the clicks in the rows of ad spend files", "kind = 'spend'"),
    "credited_conversions": Value(summed("weight"), "sum of the weights of the credits", "kind = 'credit'"),
    "credited_cents": Value(summed("credited_cents"), "sum of the cents of the credits", "kind = 'credit'"),
    "cost_per_conversion_cents": Value(
        f"{_COST} / nullif({summed('weight')}, 0)", "sum of the cost / sum of the weights of the credits"
    ),
    "roas": Value(
        f"coalesce(cast({summed('credited_cents')} as numeric(38, 4)) / nullif({_COST}, 0), 0)",
        "sum of the credited cents / sum of the cost",
    ),
}


def attribution_cells() -> list[Cells]:
    """Return the cells of the attribution marts."""
    return [
        Cells("attribution_credits", _DIVISION, _DIVIDED, reads=_PATHS),
        Cells("attribution_daily", _CREDITS, _CREDITED),
        Cells("attribution_paths", _CONVERSIONS, _PATH_VALUES, reads=_PATHS),
        Cells("roas_daily", _ROAS, _ROAS_VALUES),
    ]
