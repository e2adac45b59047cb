"""Job that encrypts all stored values again under the first key, so that older keys can go."""

import dagster as dg

from ingestion.encryption.rotation import rotate
from ingestion.encryption.tokens import EncryptionSettingsError, KeyRing
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WriterResource


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def rotate_encryption_key_op(context: dg.OpExecutionContext, writer: WriterResource, sources: SourcesResource) -> None:
    """Encrypt all stored values again under the first key; fails when some of them match none of the keys."""
    with retries.as_dagster_failure(EncryptionSettingsError), writer.connect() as connection:
        report = rotate(connection, KeyRing.parse(sources.encryption_key), log=context.log.info)
    context.add_output_metadata({"rows": report.rows, "unreadable": report.unreadable})
    if report.unreadable:
        raise dg.Failure(
            f"{report.unreadable:,} values match none of the keys in WAREHOUSE_ENCRYPTION_KEY: keep the older"
            " keys in it, and run this again with all of them",
            allow_retries=False,
        )


@dg.job(description="Encrypts all encrypted props again under the first key, so that the older one can be taken away.")
def rotate_encryption_key() -> None:
    rotate_encryption_key_op()
