"""Jobs that erase subjects, or what occurred after they withdrew their consent, and publish the days that change."""

from collections.abc import Set
from datetime import date
from pathlib import Path
from typing import Final

import dagster as dg
import psycopg
from pydantic import Field

from ingestion import landing_measures, schema
from ingestion.application import schema as application_schema
from ingestion.landing.files import LandingError
from ingestion.loading.landing_day import load_days
from ingestion.subjects import erasure, exported_files, register, requests, stored_ids
from ingestion.subjects.erased_ids import ErasureKeyMissing
from ingestion.subjects.erased_lines import editors_of_subject
from ingestion.subjects.landing_files import landing_days_to_reload, rewrite_landing_files
from ingestion.subjects.requests import InvalidRequest, Request, RequestKind
from orchestration import retries
from orchestration.cli.dashboard_settings import folder_of
from orchestration.defs.jobs.backfill import run_chunks
from orchestration.defs.resources import ExportsResource, SourcesResource, WarehouseResource
from orchestration.instance import dashboard_erasure, scrubbing
from orchestration.load_summary import load_in_words
from orchestration.reports import writing
from orchestration.reports.place import report_in
from publishing import dbt_manifest, stale_days
from reporting.pages.page import remove_reports
from warehouse.connection import CHECKOUT, Warehouse, WarehouseUnavailable
from warehouse.embedded.server import EmbeddedServer
from warehouse.settings import settings
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import WriterBusy

_DBT_TARGET: Final = CHECKOUT / "dbt_project" / "target"


class SubjectRequest(dg.Config):
    """A request of a subject. Dagster keeps configs, so a config names no person."""

    request: str = Field(
        "",
        description="The id of a request in ops.subject_requests, as erase-subject, withdraw-consent and export-subject"
        " print it; never an id of a person; required",
    )


@dg.op(out=dg.Out(dg.Nothing))
def erase_subject_op(
    context: dg.OpExecutionContext,
    config: SubjectRequest,
    warehouse: WarehouseResource,
    sources: SourcesResource,
    exports: ExportsResource,
) -> None:
    """Erase the subject of a request everywhere, then run and publish the days that became stale."""
    _carry_out(context, config, warehouse, sources, exports, RequestKind.ERASE)


@dg.op(out=dg.Out(dg.Nothing))
def withdraw_consent_op(
    context: dg.OpExecutionContext,
    config: SubjectRequest,
    warehouse: WarehouseResource,
    sources: SourcesResource,
    exports: ExportsResource,
) -> None:
    """Erase what occurred after the consent was withdrawn, then run and publish the days that became stale."""
    _carry_out(context, config, warehouse, sources, exports, RequestKind.WITHDRAW_CONSENT)


def _carry_out(
    context: dg.OpExecutionContext,
    config: SubjectRequest,
    warehouse: WarehouseResource,
    sources: SourcesResource,
    exports: ExportsResource,
    kind: RequestKind,
) -> None:
    """Carry out a request. A job that died is run again with the same config, and goes on where it ended."""
    expected = (InvalidRequest, ErasureKeyMissing, LandingError, WriterBusy, WarehouseUnavailable)
    with retries.as_dagster_failure(*expected), warehouse.write(context) as connection:
        schema.create(connection)
        application_schema.create(connection)
        request = requests.read_request(connection, config.request, (kind,))
        if request is None:
            context.log.info("the request was carried out before; only its days are looked at")
        else:
            _erase(context, connection, request, sources, exports, warehouse.warehouse_of_checkout)
    _, held = run_chunks(context, warehouse, _stale_windows)
    with warehouse.connect() as connection:
        erasure.complete_erasures(connection)
        waiting = dict(erasure.open_erasures(connection))
    days = next((days for request_id, days in waiting.items() if str(request_id) == config.request), None)
    if days is None:
        writing.write_after_publication(context, warehouse.warehouse, report_in(exports.folder))
    else:
        # A publication of other days has written it again, with numbers that are still the subject's.
        remove_reports(Path(exports.folder))
        raise dg.Failure(
            "the subject is erased from raw and from all files, but readers still see numbers with the subject in them:"
            f" {', '.join(map(str, sorted(held or days)))} are not published with every model. A check has refused a"
            " day, as its run says, or a plan waits: see `warehouse plan`. Correct that; the erasure is complete when"
            " these days are published",
            allow_retries=False,
        )
    # Answers that were cached since then show numbers of before.
    dashboard_erasure.clear_caches(folder_of())
    context.log.info("the erasure is complete: every day that it changed is published again")


def _erase(
    context: dg.OpExecutionContext,
    connection: psycopg.Connection,
    request: Request,
    sources: SourcesResource,
    exports: ExportsResource,
    warehouse: Warehouse,
) -> None:
    """Erase the subject from raw, from exports, from what runs have left, and last from the landing files."""
    erased = erasure.erase(connection, request, hash_key=sources.hash_key, erasure_key=sources.erasure_key)
    stale_days.mark_stale_days(connection)
    landing_measures.refresh(connection)
    days = erasure.record_days(connection, request.request_id)
    for table, rows in erased.table_rows.items():
        if "sealed" in rows:
            context.log.info(f"{table}: {rows['sealed']:,} rows of sealed days have random ids now")
        if rows.get("erased"):
            context.log.info(f"{table}: {rows['erased']:,} rows erased, {rows['after']:,} remain")
    register.register_erasure(connection, sources.landing_root, request.request_id)
    subject = erased.subject
    files = exported_files.erase_from_exports(Path(exports.folder), subject)
    remove_reports(Path(exports.folder))
    mask = scrubbing.Mask(subject)
    masked = scrubbing.scrub_tables(connection, mask, log=context.log.info)
    # Who withdraws consent goes on as a creator or brand.
    owners = () if request.withdrawn_from else (*subject.creators, *subject.brands)
    dashboards = dashboard_erasure.erase_from_dashboards(warehouse, mask, owners, log=context.log.info)
    scrubbing.scrub_files(_folders_of_logs(context.instance), mask, log=context.log.warning)
    editors = editors_of_subject(
        subject,
        stored_ids.replacements_of(connection, sources.erasure_key),
        hash_key=sources.hash_key,
        erased_from=request.withdrawn_from,
    )
    landing = rewrite_landing_files(connection, sources.landing_root, editors, log=context.log.info)
    _reload(context, connection, sources)
    erasure.record_files(connection, request.request_id, landing)
    context.add_output_metadata(
        {
            "rows": dg.MetadataValue.json(dict(erased.table_rows)),
            "landing_files_rewritten": landing,
            "exports_rewritten": files,
            "rows_of_dagster_masked": masked,
            "rows_of_dashboards_erased": dashboards,
            "event_days": [day.isoformat() for day in days],
        }
    )


def _reload(context: dg.OpExecutionContext, connection: psycopg.Connection, sources: SourcesResource) -> None:
    """Load the landing days again in whose files other persons' events have lost mentions of the subject."""
    days = landing_days_to_reload(connection)
    if days:
        load_days(
            connection,
            days,
            is_reload=True,
            **sources.load_options(lambda report: context.log.info(load_in_words(report))),
        )
        stale_days.mark_stale_days(connection)
        landing_measures.refresh(connection)


def _folders_of_logs(instance: dg.DagsterInstance) -> list[Path]:
    """Return the folders and files in which runs, dbt and the embedded server leave texts."""
    folders = [Path(instance.root_directory), Path(instance.storage_directory()), _DBT_TARGET]
    folders.append(folder_of() / "server.log")
    data = EmbeddedServer(CHECKOUT).status().data
    return [*folders, *([Path(data) / "server.log"] if data else [])]


def _stale_windows(connection: psycopg.Connection, held: Set[date]) -> list[Window]:
    published = stale_days.published_days(connection)
    if not published:
        return []
    stale = stale_days.stale_days(connection, project=dbt_manifest.project_version(), before=max(published) + ONE_DAY)
    days = {day.event_date for day in stale} & published - held
    return stale_days.plan_windows(
        days, apart=stale_days.refused_days(connection), at_most=settings().warehouse_chunk_days
    )


@dg.job(
    description=(
        "Erases subjects everywhere: raw, rejected lines and copies, landing files, the product's tables, exports,"
        " records of runs. The days that change are run and published; then the erasure is complete. `warehouse"
        " erase-subject` makes the request that it takes. Killed, it is run again with the same request."
    )
)
def erase_subject() -> None:
    erase_subject_op()


@dg.job(
    description=(
        "Erases what occurred after subjects have withdrawn their consent, as erase_subject does. The product's tables"
        " stay. `warehouse withdraw-consent` makes the request that it takes."
    )
)
def withdraw_consent() -> None:
    withdraw_consent_op()
