"""Runner of expectation suites: Great Expectations on a window's rows, its results as outcomes of checks.

The only module that imports Great Expectations, and only inside functions: the import takes longer than a run. The
suites are declared in `suites/`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, JsonValue
from quality_checks.suite import BARE_QUERY, Suite
from warehouse.window import ONE_DAY, Window

# Bad rows shown per failed expectation.
_ROWS_SHOWN: Final = 5


class ExpectationError(Exception):
    """An expectation could not be evaluated: a defect of the suite or the warehouse, not of the window's rows."""


def run_suites(sqlalchemy_url: str, suites: Sequence[Suite], window: Window) -> list[CheckOutcome]:
    """Check the window's rows by suites, and return one outcome each with every failed expectation.

    `observed` holds rows, expectations and, per failed expectation, its arguments and its number of bad rows. Bad days
    are found by running the suite on halves of the window. A failure that no single day shows (a row without a day, a
    key on two days) makes every day of the window bad. For rows without a day column the window's last day stands.

    Raises:
        ExpectationError: An expectation cannot be evaluated.
        sqlalchemy.exc.OperationalError: The database cannot be reached. No connection stays open.
    """
    if not suites:
        return []
    with _warehouse(sqlalchemy_url) as datasource:
        return [_outcome(_SuiteRunner(datasource, suite), suite, window) for suite in suites]


def _outcome(runner: "_SuiteRunner", suite: Suite, window: Window) -> CheckOutcome:
    # All rows of a snapshot are checked, whatever the window.
    covers_all_days = suite.date_column is None
    observed: dict[str, JsonValue] = {"rows": runner.count(window), "expectations": len(suite.expectations)}
    failed = runner.failures(window, suite.expectations)
    if not failed:
        return CheckOutcome(observed, covers_all_days=covers_all_days, name=suite.name, severity=suite.severity)
    details = runner.details(window, failed)
    if suite.date_column is None:
        bad_days: tuple[date, ...] = (window.end - ONE_DAY,)
    else:
        bad_days = tuple(_bad_days(runner, window, failed)) or tuple(window.days())
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
    return CheckOutcome(observed, bad_days, rows, covers_all_days, name=suite.name, severity=suite.severity)


def _bad_days(runner: "_SuiteRunner", days: Window, failed: Sequence[Mapping[str, Any]]) -> Iterator[date]:
    """Yield the days of a failed range on which a failed expectation fails again, found by halving."""
    if len(days) == 1:
        yield days.start
        return
    for half in days.chunks((len(days) + 1) // 2):
        if failed_here := runner.failures(half, failed):
            yield from _bad_days(runner, half, failed_here)


def _arguments(configuration: Mapping[str, Any]) -> dict[str, JsonValue]:
    # GX adds the id of its batch, which means nothing outside this process.
    return {name: value for name, value in configuration["kwargs"].items() if name != "batch_id"}


class _SuiteRunner:
    """Great Expectations on one suite's query: any of its expectations on the rows of any days."""

    def __init__(self, datasource: Any, suite: Suite) -> None:
        self._datasource = datasource
        self._suite = suite
        self._batches: dict[Window, Any] = {}

    def _batch(self, days: Window) -> Any:
        if days not in self._batches:
            name = f"{self._suite.file} {days.start} {days.end}"
            asset = self._datasource.add_query_asset(name, query=self._suite.rows_of(days))
            self._batches[days] = asset.add_batch_definition(name).get_batch()
        return self._batches[days]

    def count(self, days: Window) -> int:
        """Return the number of rows of these days."""
        [result] = self._validate(days, [{"type": "expect_table_row_count_to_be_between", "kwargs": {}}], "BASIC")
        return int(result["result"]["observed_value"])

    def failures(self, days: Window, expectations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return those of the expectations that fail on these days.

        Results alone take one pass over the rows for all expectations; bad rows take another pass for each.
        """
        results = self._validate(days, expectations, "BOOLEAN_ONLY")
        failed = [result["expectation_config"] for result in results if not result["success"]]
        return [{"type": config["type"], "kwargs": _arguments(config)} for config in failed]

    def details(self, days: Window, expectations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the full results of failing expectations, with the keys of some bad rows."""
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

        # Built here, because Great Expectations' suite logs an unknown expectation and leaves it out.
        built = [ExpectationConfiguration(**item).to_domain_obj() for item in expectations]
        suite = ExpectationSuite(name=self._suite.file, expectations=built)
        validated = self._batch(days).validate(suite, result_format=result_format)
        results: list[dict[str, Any]] = [result.to_json_dict() for result in validated.results]
        for result in results:
            _raise_if_not_evaluated(self._suite, result)
        if len(results) != len(expectations):
            raise ExpectationError(
                f"suite {self._suite.file}: {len(expectations)} expectations gave {len(results)} results"
            )
        return results


def _raise_if_not_evaluated(suite: Suite, result: Mapping[str, Any]) -> None:
    """Raise ExpectationError for a result that is an exception: GX reports it as a failed expectation."""
    info = result["exception_info"] or {}
    # Either one record, or one record for each metric that failed.
    records = [info] if "raised_exception" in info else list(info.values())
    messages = sorted({str(item["exception_message"]) for item in records if item["raised_exception"]})
    if messages or not isinstance(result["success"], bool):
        config = result["expectation_config"]
        raise ExpectationError(
            f"suite {suite.file}: {config['type']} {_arguments(config)} could not be evaluated:"
            f" {'; '.join(messages) or 'no result'}"
        )


def _read_columns_only(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _executemany: bool
) -> tuple[str, Any]:
    """Keep GX from fetching every row of the window when it asks for a query's columns.

    Each 100,000 rows take 0.2 s of CPU, and all of them memory (2026-11). No other statement begins with the query. GX
    has no option for it; tests/integration/quality_checks/test_expectations.py notices a version that asks otherwise.
    """
    is_bare_query = statement.startswith(BARE_QUERY)
    return (f"select * from ({statement}) as suite_columns limit 0" if is_bare_query else statement), parameters


@contextmanager
def _warehouse(sqlalchemy_url: str) -> Iterator[Any]:
    """Yield the warehouse as Great Expectations' data source, shared by all suites of a run.

    Creating one costs as much as checking a small table.
    """
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
        # GX keeps both of its engines connected until the process ends.
        datasource.get_execution_engine().close()
        datasource.get_engine().dispose()
