"""Explanations of the sample: 500 random conversions and cells recompute the number that is shown."""

import random
from typing import Any

import pytest
from psycopg import sql

from ingestion.ad_spend.loading import load_ad_spend
from ingestion.application.source import connect_application
from publishing.explain.reading import explain_cell, explain_conversion
from sample_data import Marketplace
from sample_data.application_tables import write_application
from sample_data.landing_files import write_landing_files
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

# Five whole weeks, and the second month.
DAYS = 36
EVENTS_PER_DAY = 600
EXAMPLES = 500


@pytest.fixture
def sample(pipeline: Pipeline) -> Pipeline:
    """A small sample marketplace, published in two runs, so that weeks and months come of both."""
    pipeline.data_tests = False
    marketplace = Marketplace(start=START, days=DAYS, events_per_day=EVENTS_PER_DAY)
    write_landing_files(marketplace, pipeline.landing, print)
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        write_application(application, marketplace.application_tables())
    pipeline.read_application(START)
    load_ad_spend(pipeline.connection, root=pipeline.landing)
    middle = START + 20 * ONE_DAY
    for window in (Window(START, middle), Window(middle, START + DAYS * ONE_DAY)):
        pipeline.run(window)
    # Events that arrived late have made days of the first run stale.
    pipeline.catch_up()
    return pipeline


def random_cells(pipeline: Pipeline, chance: random.Random) -> list[tuple[str, str, dict[str, Any], object]]:
    """Return marts, columns, keys and numbers of random cells; every explained column occurs."""
    columns = pipeline.rows("select mart, column_name from ops.explained_columns() order by 1, 2")
    chance.shuffle(columns)
    rows = {}
    for mart in {mart for mart, _ in columns}:
        query = sql.SQL("select to_jsonb(shown), ops.grain_of_mart({}) from {} as shown").format(
            sql.Literal(mart), sql.Identifier("marts", mart)
        )
        rows[mart] = sorted(pipeline.connection.execute(query).fetchall(), key=str)
    cells = []
    for mart, column in (columns * (EXAMPLES // len(columns) + 1))[:EXAMPLES]:
        row, grain = chance.choice(rows[mart])
        cells.append((mart, column, {name: row[name] for name in grain}, row[column]))
    return cells


@pytest.mark.long
@pytest.mark.models
def test_500_random_conversions_and_500_random_cells_recompute_what_is_shown(sample: Pipeline) -> None:
    chance = random.Random(500)  # noqa: S311
    conversions = sample.rows("select distinct conversion_id, metric_date from marts.attribution_credits order by 1, 2")
    assert len(conversions) >= EXAMPLES
    different: list[Any] = []
    for conversion_id, day in chance.sample(conversions, EXAMPLES):
        answer = explain_conversion(sample.connection, conversion_id, day=day)
        # The rule is looked up anew in the seed. The channel was decided by the model.
        rules = [(touch["channel"], touch["rule"]["channel"]) for touch in answer["touches"]]
        lines = [touch["first_event"] and touch["first_event"]["file"] for touch in answer["touches"]]
        if not (answer["is_equal"] and all(a == b for a, b in rules) and all([answer["conversion"]["event"], *lines])):
            different.append((conversion_id, answer))
    cells = random_cells(sample, chance)
    for mart, column, keys, number in cells:
        answer = explain_cell(sample.connection, mart, column, keys)
        if not answer["is_equal"] or answer["shown"] != number:
            different.append((mart, column, keys, number, answer))
    assert different == []
    assert sum(bool(number) for *_, number in cells) > EXAMPLES / 4, "most are no zeros or nulls"
