"""Runs expectation suites on a window's rows. The only module that imports Great Expectations, and only inside
the functions that use it: the import takes longer than a run.

What is expected is declared in `suites/`; here stands how it is run and how its verdict becomes a CheckOutcome.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, JsonValue, days_of
from quality_checks.suite import BARE_QUERY, Suite, load_suite
from warehouse.window import Window

# Bad rows shown per failed expectation.
_ROWS_SHOWN: Final = 5


class ExpectationError(Exception):
    """An expectation could not be judged: a defect of the suite or the warehouse, not of the window's rows."""


def _halves(window: Window) -> tuple[Window, Window]:
    middle = window.start + timedelta(days=len(window) // 2)
    return Window(window.start, middle), Window(middle, window.end)


def run_suites(sqlalchemy_url: str, suite_names: Sequence[str], window: Window) -> list[CheckOutcome]:
    """Judge the window's rows by suites: one outcome each, named by the suite, with every failed expectation.

    `observed` holds rows, expectations and, per failed expectation, its arguments and count of bad rows. The bad
    days are found by the suite itself, on halves of the window; a failure that no day shows alone (a row without
    a day, a key on two days) makes every day of the window bad. For rows that have no day the last one of the window
    stands. Raises SuiteError for a suite that cannot be read, ExpectationError for an expectation that cannot be
    judged, and the database's error when it cannot be reached. No connection stays open.
    """
    suites = [load_suite(name) for name in suite_names]
    if not suites:
        return []
    with _warehouse(sqlalchemy_url) as datasource:
        return [_outcome(_SuiteRunner(datasource, suite), suite, window) for suite in suites]


def run_suite(sqlalchemy_url: str, suite_name: str, window: Window) -> CheckOutcome:
    """The same for one suite."""
    [outcome] = run_suites(sqlalchemy_url, [suite_name], window)
    return outcome


def _outcome(runner: "_SuiteRunner", suite: Suite, window: Window) -> CheckOutcome:
    # Of a snapshot all rows are judged, whatever the window.
    covers_all_days = suite.date_column is None
    observed: dict[str, JsonValue] = {"rows": runner.count(window), "expectations": len(suite.expectations)}
    failed = runner.failures(window, suite.expectations)
    if not failed:
        return CheckOutcome(suite.check, True, suite.severity, observed, covers_all_days=covers_all_days)
    details = runner.details(window, failed)
    if suite.date_column is None:
        bad_days: tuple[date, ...] = (window.end - timedelta(days=1),)
    else:
        bad_days = tuple(_bad_days(runner, window, failed)) or tuple(days_of(window))
    observed["failed"] = [
        {
            "type": result["expectation_config"]["type"],
            "arguments": _arguments(result["expectation_config"]),
            "bad_rows": result["result"].get("unexpected_count"),
            "observed_value": result["result"].get("observed_value"),
        }
        for result in details
    ]
    sample = tuple(
        {"expectation": result["expectation_config"]["type"], **row}
        for result in details
        for row in result["result"].get("partial_unexpected_index_list") or []
    )
    rows = sample[:SAMPLE_ROWS]
    return CheckOutcome(suite.check, False, suite.severity, observed, bad_days, rows, covers_all_days=covers_all_days)


def _bad_days(runner: "_SuiteRunner", days: Window, failed: Sequence[Mapping[str, Any]]) -> Iterator[date]:
    """The days of a failed range on which a failed expectation fails again, found by halving."""
    if len(days) == 1:
        yield days.start
        return
    for half in _halves(days):
        if failed_here := runner.failures(half, failed):
            yield from _bad_days(runner, half, failed_here)


def _arguments(configuration: Mapping[str, Any]) -> dict[str, JsonValue]:
    # GX adds the id of its batch, which means nothing outside this process.
    return {name: value for name, value in configuration["kwargs"].items() if name != "batch_id"}


class _SuiteRunner:
    """Great Expectations on one suite's query: the rows of any days of it, judged by any of its expectations."""

    def __init__(self, datasource: Any, suite: Suite) -> None:
        self._datasource = datasource
        self._suite = suite
        self._batches: dict[Window, Any] = {}

    def _batch(self, days: Window) -> Any:
        if days not in self._batches:
            name = f"{self._suite.name} {days.start} {days.end}"
            asset = self._datasource.add_query_asset(name, query=self._suite.rows_of(days))
            self._batches[days] = asset.add_batch_definition(name).get_batch()
        return self._batches[days]

    def count(self, days: Window) -> int:
        """How many rows these days have."""
        [result] = self._validate(days, [{"type": "expect_table_row_count_to_be_between", "kwargs": {}}], "BASIC")
        return int(result["result"]["observed_value"])

    def failures(self, days: Window, expectations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those of the expectations that fail on these days.

        Asks for the verdict alone: that is one pass over the rows for all expectations, while naming the bad
        rows costs another pass for each.
        """
        results = self._validate(days, expectations, "BOOLEAN_ONLY")
        failed = [result["expectation_config"] for result in results if not result["success"]]
        return [{"type": config["type"], "kwargs": _arguments(config)} for config in failed]

    def details(self, days: Window, expectations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The full results of expectations that fail, with the keys of some bad rows."""
        result_format = {
            "result_format": "SUMMARY",
            "unexpected_index_column_names": list(self._suite.row_key),
            "partial_unexpected_count": _ROWS_SHOWN,
        }
        return self._validate(days, expectations, result_format)

    def _validate(
        self, days: Window, expectations: Sequence[Mapping[str, Any]], result_format: str | dict[str, Any]
    ) -> list[dict[str, Any]]:
        from great_expectations import ExpectationSuite
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        # Built here, because the suite itself would log an expectation that it does not know, and leave it out.
        built = [ExpectationConfiguration(**item).to_domain_obj() for item in expectations]
        suite = ExpectationSuite(name=self._suite.name, expectations=built)
        validated = self._batch(days).validate(suite, result_format=result_format)
        results: list[dict[str, Any]] = [result.to_json_dict() for result in validated.results]
        for result in results:
            _raise_if_not_judged(self._suite, result)
        if len(results) != len(expectations):
            raise ExpectationError(
                f"suite {self._suite.name}: {len(expectations)} expectations gave {len(results)} verdicts"
            )
        return results


def _raise_if_not_judged(suite: Suite, result: Mapping[str, Any]) -> None:
    """Raise for a result that is an exception in disguise: GX catches it and calls the expectation failed."""
    info = result["exception_info"] or {}
    # Either one record, or one record for each metric that failed.
    records = [info] if "raised_exception" in info else list(info.values())
    messages = sorted({str(item["exception_message"]) for item in records if item["raised_exception"]})
    if messages or not isinstance(result["success"], bool):
        config = result["expectation_config"]
        raise ExpectationError(
            f"suite {suite.name}: {config['type']} {_arguments(config)} could not be judged:"
            f" {'; '.join(messages) or 'no verdict'}"
        )


def _read_columns_only(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _executemany: bool
) -> tuple[str, Any]:
    """To learn a query's columns GX runs the query as it is, and every row of the window comes into this process.

    Measured: 0.2 s of CPU and all the rows in memory for each 100,000. No other statement begins with the query.
    """
    is_bare_query = statement.startswith(BARE_QUERY)
    return (f"select * from ({statement}) as suite_columns limit 0" if is_bare_query else statement), parameters


@contextmanager
def _warehouse(sqlalchemy_url: str) -> Iterator[Any]:
    """The warehouse as Great Expectations' data source; all suites of a run share it, for making one costs as much as
    judging a small table."""
    # The installed 1.24 holds no code that sends anything; where a version does, this is its switch, read at import.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations
    import sqlalchemy
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    datasource = context.data_sources.add_postgres(
        "warehouse",
        # GX replaces `$name` in this string from the environment; rendered, a `$` of the password is escaped.
        connection_string=sqlalchemy.make_url(sqlalchemy_url).render_as_string(hide_password=False),
        create_temp_table=False,
    )
    sqlalchemy.event.listen(
        datasource.get_execution_engine().engine, "before_cursor_execute", _read_columns_only, retval=True
    )
    try:
        yield datasource
    finally:
        # GX leaves both of its engines connected, idle in the pool, for as long as the process lives.
        datasource.get_execution_engine().close()
        datasource.get_engine().dispose()
