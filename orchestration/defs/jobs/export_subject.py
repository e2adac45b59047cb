"""Job that writes all that is held about a subject to one archive."""

from pathlib import Path

import dagster as dg

from ingestion.subjects import requests
from ingestion.subjects.requests import InvalidRequest, RequestKind
from ingestion.subjects.subject_archive import export_subject as write_archive
from orchestration import retries
from orchestration.defs.jobs.erase_subject import SubjectRequest
from orchestration.defs.resources import ExportsResource, SourcesResource, WarehouseResource


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def export_subject_op(
    context: dg.OpExecutionContext,
    config: SubjectRequest,
    warehouse: WarehouseResource,
    sources: SourcesResource,
    exports: ExportsResource,
) -> None:
    """Write the archive to the folder of exports. Its path is in the metadata of the run, and names nobody."""
    with retries.as_dagster_failure(InvalidRequest), warehouse.connect() as connection:
        request = requests.read_request(connection, config.request, (RequestKind.EXPORT,))
        if request is None:
            raise InvalidRequest("the request was carried out before; ask for another export")
        with connection.transaction(), connection.cursor() as cursor:
            subject = requests.subject_of(cursor, request, hash_key=sources.hash_key)
        path = Path(exports.folder, f"subject-{request.request_id}.zip")
        report = write_archive(connection, subject, path, log=context.log.info)
        with connection.transaction(), connection.cursor() as cursor:
            requests.finish_request(cursor, request.request_id)
    context.log.info(f"{path} holds {sum(report.rows.values()):,} rows of {len(report.rows)} tables")
    context.add_output_metadata({"file": dg.MetadataValue.path(path), "rows": dg.MetadataValue.json(report.rows)})


@dg.job(
    description=(
        "Writes all that is held about subjects to one archive of JSON and CSV in the folder of exports. `warehouse"
        " export-subject` makes the request that it takes. Hand the file over, then delete it."
    )
)
def export_subject() -> None:
    export_subject_op()
