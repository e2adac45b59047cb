"""Summary of a landing day's loads as a sentence for the log."""

from ingestion.loading.landing_day import LoadReport
from ingestion.validation.notes import Counts, total_by_field


def load_in_words(report: LoadReport) -> str:
    """Return a sentence on what the loads of a landing day came to."""
    if report.is_sealed:
        return f"landing day {report.landing_date}: sealed, its files are not loaded any more"
    if not report.loaded:
        return f"landing day {report.landing_date}: nothing new in {len(report.unchanged)} files"
    return (
        f"landing day {report.landing_date}: {report.lines_read:,} lines of {len(report.loaded)} files:"
        f" {report.accepted:,} accepted, {report.rejected:,} rejected, {report.duplicates:,} duplicates,"
        f" {report.not_tracked:,} not tracked, {report.erased:,} erased, {report.late:,} late"
        f"{_counts_in_words('fields dropped', report.dropped_fields)}"
        f"{_counts_in_words('ids that were placeholders', report.placeholder_ids)}"
        f"{_counts_in_words('ids hashed', report.hashed_ids)}"
        f"{''.join(f'; erased persons are still named in a file: {message}' for message in report.not_rewritten)}"
    )


def _counts_in_words(label: str, counts: Counts) -> str:
    """Return the counts of fields in words, the most frequent field first; nothing where there are none."""
    totals = total_by_field(counts)
    if not totals:
        return ""
    fields = ", ".join(f"{name} {count:,}" for name, count in totals.most_common())
    return f"; {totals.total():,} {label} ({fields})"
