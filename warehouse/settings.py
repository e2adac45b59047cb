"""Settings from the environment, which only this module and dbt's profiles.yml read. .env.example lists them."""

from datetime import date, time
from functools import lru_cache
from typing import Final, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse import retention

# Landing files that another system writes, the application's table of events, or both.
EventSource = Literal["files", "application", "both"]


DEFAULT_UI_URL: Final = "http://127.0.0.1:3000"
DEFAULT_BI_URL: Final = "http://127.0.0.1:8088"


class MissingSetting(Exception):
    """A variable is missing or has a value that cannot be used."""


class Settings(BaseSettings):
    """The variables that the code location needs before it can be loaded."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    warehouse_url: SecretStr = Field(description="The warehouse, as its owner")
    warehouse_start_date: date = Field(description="The first event day: of partitions, and of what is accepted")
    warehouse_hash_key: SecretStr = Field(description="The key of the hashes of e-mail addresses; never change it")
    warehouse_erasure_key: SecretStr | None = Field(None, description="The key of the hashes of erased ids")
    warehouse_encrypted_props: str = Field("", description="The props that are encrypted, separated by commas")
    warehouse_phone_regions: str = Field("", description="Countries whose phone numbers are known in national forms")
    warehouse_encryption_key: SecretStr | None = Field(None, description="Their key; after a comma, the one before it")
    landing_url: str = Field(description="The folder or bucket of the landing files")
    warehouse_incomplete_suffixes: str = Field("", description="How names of files end that are still being written")
    warehouse_follow_symlinks: bool = Field(False, description="Whether symbolic links in the landing folder count")
    # zstd itself accepts 128 MiB, which `zstd --long` writes; 2,048 MiB is the widest window of the format.
    warehouse_zstd_window_mb: int = Field(
        128, ge=1, le=2_048, description="The widest window of a zstd file, in MiB of memory"
    )
    # Logs of events shrink to a tenth or a hundredth. gzip can reach 1:1,030, zstd and Parquet any ratio.
    warehouse_max_expansion: int = Field(
        200, ge=0, description="How many times its size a landing file may unpack to; 0: any number of times"
    )
    warehouse_load_processes: int = Field(0, ge=0, description="How many processes validate lines; 0: by the cores")
    warehouse_event_source: EventSource = Field("files", description="Where events come from")
    warehouse_exports: str = Field("exports", description="The folder of exported events and of the report")
    warehouse_run_history_days: int = Field(90, ge=1, description="How many days Dagster's records of runs are kept")
    warehouse_retention_days: int | None = Field(
        None, ge=retention.MIN_DAYS, description="How many days events are kept; without, for ever"
    )
    warehouse_retention_landing: bool = Field(False, description="Whether landing files of sealed days are deleted too")
    warehouse_chunk_days: int = Field(10, ge=1, description="How many days a backfill builds and publishes at once")
    warehouse_apply_changes: bool = Field(False, description="Whether changed models are built without `plan --apply`")
    warehouse_publish_deadline: time = Field(time(6), description="The time, UTC, by which yesterday is published")
    warehouse_alert_webhook: SecretStr = Field(SecretStr(""), description="The webhook that gets alerts")
    warehouse_alert_smtp: SecretStr = Field(SecretStr(""), description="The mail server that sends alerts")
    warehouse_alert_from: str = Field("", description="The sender of alerts by e-mail")
    warehouse_alert_to: str = Field("", description="The recipients of alerts by e-mail, separated by commas")
    warehouse_alert_rejected_percent: float = Field(5, gt=0, description="Rejected lines of a landing day that alert")
    warehouse_alert_late_percent: float = Field(20, gt=0, description="Late events of a landing day that alert")
    warehouse_alert_free_gigabytes: float = Field(5, ge=0, description="Free space of a disk below which is an alert")
    warehouse_ui_url: str = Field(DEFAULT_UI_URL, description="The address of Dagster's page, for links")
    warehouse_bi_url: str = Field(DEFAULT_BI_URL, description="The address of the dashboards, for links")
    warehouse_bi_currency: str = Field("", description="The currency of money, in three letters")
    app_database_url: SecretStr = Field(description="The product's own Postgres")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process. Raises MissingSetting naming every variable that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"{str(part['loc'][0]).upper()}: {part['msg']}" for part in error.errors())
        raise MissingSetting(
            f"the environment is not complete: {problems}. Correct .env.local; for tools that are run by hand, put what"
            " `make -s env` prints into the environment; .env.example describes every variable"
        ) from None
