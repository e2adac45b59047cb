"""A thousand random questions: answers of `reporting` and of the SQL functions, the marts, and plain SQL over raw."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from reporting.answers import Campaign
from reporting.errors import NotFound
from reporting.metrics import Metrics
from tests.integration.reporting.metric_queries.plain_answers import LENGTHS, PlainAnswers, in_order, values
from tests.support.pipeline import START
from tests.support.random_quarter import ASSETS, BRANDS, CREATORS, DAYS
from warehouse.connection import Warehouse

QUESTIONS = 1000
RANGES = 80
# The order of columns in the formulas.
REFERRER = ("referrer", "rank", "views")
CREATOR_ASSET = ("ip_asset_id", "title", "rank", "views", "licenses", "revenue_cents")
SOURCE = ("utm_source", "rank", "visits", "conversions")

pytestmark = [pytest.mark.slow, pytest.mark.models]


class Comparison:
    """Answers to random questions, compared with what raw says and what the marts show."""

    def __init__(self, warehouse: Warehouse, chance: random.Random) -> None:
        self.chance = chance
        # Answers with numbers, by who asked.
        self.answered: Counter[str] = Counter()
        lengths = [1, 1, 2, 7, 30, DAYS, *(chance.randrange(1, DAYS) for _ in range(RANGES - 6))]
        starts = [START + timedelta(days=chance.randrange(DAYS - length + 1)) for length in lengths]
        self.ranges = [(start, start + timedelta(days=n)) for start, n in zip(starts, lengths, strict=True)]
        self.bi = Metrics(warehouse.bi_dsn)
        self.creators = Metrics(warehouse.dsn("creator_portal"))
        self.brands = Metrics(warehouse.dsn("brand_portal"))
        self.sql = psycopg.connect(warehouse.bi_dsn, autocommit=True, row_factory=dict_row)
        with warehouse.connect() as connection:
            self.plain = PlainAnswers(connection, self.ranges)

    def asset_in_a_range(self) -> None:
        asset, number = self._asset(), self.chance.randrange(RANGES)
        start, end = self.ranges[number]
        expected = self.plain.of("asset_metrics", asset, str(number))
        if not expected:
            with pytest.raises(NotFound, match=f'^there is no asset "{asset}"$'):
                self.bi.asset_metrics(asset, start, end)
            return
        answer = self.bi.asset_metrics(asset, start, end)
        assert in_order([(answer.title, *(value for _, value in answer.totals))]) == expected
        assert values(answer.top_referrers, *REFERRER) == self.plain.of("asset_top_referrers", asset, str(number))
        days = [start + timedelta(days=n) for n in range((end - start).days)]
        nothing = (0, 0, 0, 0, 0, Decimal(0))
        assert values(answer.by_day) == in_order([(day, *self.plain.days.get((asset, day), nothing)) for day in days])
        self._same_in_sql("asset_metrics", answer, "%s, %s, %s", asset, start, end)

    def asset_in_a_period(self) -> None:
        asset, period = self._asset(), self._period()
        expected = self.plain.of("asset_metrics", asset, period)
        if not expected:
            with pytest.raises(NotFound):
                self.bi.asset_metrics(asset, period)
            return
        answer = self.bi.asset_metrics(asset, period)
        assert in_order([(answer.title, *(value for _, value in answer.totals))]) == expected
        assert values([answer.totals]) == self._mart("asset_metrics", "ip_asset_id", asset, period, "title")
        assert values(answer.top_referrers, *REFERRER) == self.plain.of("asset_top_referrers", asset, period)
        assert sum(day.views for day in answer.by_day) == answer.totals.total_views
        assert len(answer.by_day) == min(LENGTHS[period] or DAYS, DAYS)
        self._same_in_sql("asset_metrics", answer, "%s, %s", asset, period)

    def asset_of_an_owner(self) -> None:
        """Creators and brands get the numbers of the days on which a share or license is theirs."""
        asset, number = self._asset(), self.chance.randrange(RANGES)
        start, end = self.ranges[number]
        creator, brand = self._some("creator", CREATORS), self._some("brand", BRANDS)
        for owner, metrics, expected in (
            ("creator", self.creators.for_creator(creator), self.plain.of_creators.get((creator, asset, str(number)))),
            ("brand", self.brands.for_brand(brand), self.plain.of_brands.get((brand, asset, str(number)))),
        ):
            try:
                totals = metrics.asset_metrics(asset, start, end).totals
            except NotFound:
                assert expected is None or not self.plain.of("asset_metrics", asset, str(number))
            else:
                assert tuple(value for _, value in totals)[:5] == (expected or (0,) * 5)
                self.answered[owner] += expected is not None

    def creator(self) -> None:
        creator, period = self._some("creator", CREATORS), self._period()
        expected = self.plain.of("creator_dashboard", creator, period)
        own = self.creators.for_creator(creator)
        if not expected:
            for metrics in (self.bi, own):
                with pytest.raises(NotFound, match=f'^there is no creator "{creator}"$'):
                    metrics.creator_dashboard(creator, period)
            return
        answer = self.bi.creator_dashboard(creator, period)
        assert in_order([(answer.display_name, *(value for _, value in answer.summary))]) == expected
        assert values([answer.summary]) == self._mart(
            "creator_dashboard", "creator_id", creator, period, "display_name"
        )
        assets = values(answer.top_assets, *CREATOR_ASSET)
        assert assets == self.plain.of("creator_top_assets", creator, period)
        sources = values(answer.traffic_sources, *SOURCE)
        assert sources == self.plain.of("creator_traffic_sources", creator, period)
        assert values(answer.revenue_timeline) == self.plain.of("creator_revenue_timeline", creator, period)
        assert own.creator_dashboard(creator, period) == answer
        self._same_in_sql("creator_dashboard", answer, "%s, %s", creator, period)

    def brand(self) -> None:
        brand, period = self._some("brand", BRANDS), self._period()
        expected = self.plain.of("brand_campaign_metrics", brand, period)
        own = self.brands.for_brand(brand)
        if not expected:
            for metrics in (self.bi, own):
                with pytest.raises(NotFound, match=f'^there is no brand "{brand}"$'):
                    metrics.brand_campaigns(brand, period)
            return
        answer = self.bi.brand_campaigns(brand, period)
        campaigns = values(answer.campaigns, *(name for name in Campaign.model_fields if name != "assets"))
        assert campaigns == expected
        assert campaigns == self._mart("brand_campaign_metrics", "brand_id", brand, period)
        assets = [(c.project_id, *(value for _, value in a)) for c in answer.campaigns for a in c.assets]
        assert in_order(assets) == self.plain.of("brand_campaign_assets", brand, period)
        assert own.brand_campaigns(brand, period) == answer
        self._same_in_sql("brand_campaigns", answer, "%s, %s", brand, period)

    def platform(self) -> None:
        period = self._period()
        answer = self.bi.platform_metrics(period)
        assert values([answer.totals]) == self.plain.of("platform_metrics", None, period)
        assert values([answer.totals]) == self._mart("platform_metrics", None, None, period)
        assert values(answer.revenue_timeline) == self.plain.of("platform_revenue_timeline", None, period)
        self._same_in_sql("platform_metrics", answer, "%s", period)

    def _same_in_sql(self, function: str, answer: Any, places: str, *asked: object) -> None:
        row = self.sql.execute(f"select {function}({places})::text as answer", asked).fetchone()  # type: ignore[arg-type]
        assert type(answer).model_validate_json(row["answer"] if row else "") == answer

    def _mart(self, mart: str, key: str | None, of_id: str | None, period: str, *names: str) -> list[tuple[Any, ...]]:
        """The rows of a mart without what identifies them and without names."""
        condition = f"period = %s and {key or 'null::text'} is not distinct from %s"
        rows = self.sql.execute(f"select * from {mart} where {condition}", [period, of_id]).fetchall()  # type: ignore[arg-type]
        left_out = {"metric_date", "period", key, *names}
        return in_order([[value for name, value in row.items() if name not in left_out] for row in rows])

    def _asset(self) -> str:
        return self._some("asset", ASSETS)

    def _some(self, kind: str, number: int) -> str:
        """One of the ids, or one that nobody has."""
        return f"{kind}-{self.chance.randrange(number + 1)}"

    def _period(self) -> str:
        return self.chance.choice([*LENGTHS])


def test_a_thousand_random_questions_have_the_answers_of_the_marts_and_of_raw(quarter: Warehouse) -> None:
    comparison = Comparison(quarter, random.Random(16))  # noqa: S311
    kinds: list[Callable[[], None]] = [
        *[comparison.asset_in_a_range] * 8,
        *[comparison.asset_in_a_period] * 4,
        *[comparison.asset_of_an_owner] * 4,
        *[comparison.creator] * 2,
        comparison.brand,
        comparison.platform,
    ]
    for number in range(QUESTIONS):
        kinds[number % len(kinds)]()
    assert comparison.answered["creator"] > 20, "creators have seen numbers of their assets"
    assert comparison.answered["brand"] > 10
