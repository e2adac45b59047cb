"""Explanations as text that a person reads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from publishing.explain.reading import Explanation

# Loads that a text names; --json has up to 100.
_LOADS_NAMED: Final = 5
_PLACE: Final = ("file", "line_number", "line_position", "load_id")


def cell_as_text(answer: Explanation) -> str:
    """Return the explanation of a cell."""
    lines = [
        f"marts.{answer['mart']}, column {answer['column']}: {_value(answer['shown'])}",
        *(f"  {name}: {_value(value)}" for name, value in answer["keys"].items()),
        f"  meaning: {answer['description']}",
        f"  formula: {answer['formula']}",
        f"  recomputed: {_value(answer['recomputed'])} {_comparison(answer)}",
        "",
        f"made of {_count(answer['rows_total'], 'row')}{_shown_of(answer)}",
        *_table([_with_place(row) for row in answer["rows"]]),
        "",
        *_provenance(answer["provenance"]),
    ]
    return "\n".join(lines)


def conversion_as_text(answer: Explanation) -> str:
    """Return the explanation of a conversion."""
    conversion = dict(answer["conversion"])
    event = conversion.pop("event", {})
    lines = [
        f"conversion {conversion.pop('conversion_id')}",
        *(f"  {name}: {_value(value)}" for name, value in conversion.items()),
        f"  event: {event.get('event_type', 'dropped from raw.events')}{_from_place(event)}",
        "",
        f"touches: {len(answer['touches'])}",
        *(line for touch in answer["touches"] for line in _touch(touch)),
        "",
        f"weights and cents by model {_comparison(answer)}",
        *(line for model in answer["models"] for line in _model(model)),
        "",
        *_provenance(answer["provenance"]),
    ]
    return "\n".join(lines)


def _touch(touch: Mapping[str, Any]) -> Iterator[str]:
    origin, rule = touch["origin_event"] or {}, touch["rule"] or {}
    names = " / ".join(touch[name] for name in ("source", "medium", "campaign"))
    yield f"  {touch['touch_number']}. {touch['touched_at']} {touch['channel']}: {names}"
    conditions = {name: rule[name] for name in ("source_kind", "source_pattern", "medium_pattern", "campaign_pattern")
                  if rule.get(name)}  # fmt: skip
    in_words = ", ".join(f"{name} {value}" for name, value in conditions.items()) or "no conditions"
    yield f"     rule {rule.get('priority')} of channel_rules ({rule.get('channel')}): {in_words}"
    if rule.get("channel") != touch["channel"]:
        yield f"     the rules have changed since the touch was built as {touch['channel']}"
    if origin.get("event_id"):
        carried = ", ".join(f"{name} {_value(value)}" for name, value in (origin["carried"] or {}).items())
        yield f"     decided by event {origin['event_id']}{_from_place(origin)}: {carried}"
    elif touch["first_event"]:
        yield "     no event of the session carries attribution"
    else:
        yield "     the events of the session were dropped with their sealed day"
    yield f"     session {touch['session_id']}" + (
        f", first event{_from_place(touch['first_event'])}" if touch["first_event"] else ""
    )


def _model(model: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {model['model']}: {model['formula']} {_comparison(model)}"
    for credit in model["credits"]:
        place = f"touch {credit['touch_number']}" if credit["touch_number"] else "no touch"
        yield f"     {place}: weight {credit['weight']}, {credit['credited_cents']} cents{_recomputed(credit)}"


def _recomputed(credit: Mapping[str, Any]) -> str:
    again = (credit["recomputed_weight"], credit["recomputed_cents"])
    if again == (credit["weight"], credit["credited_cents"]):
        return ""
    return f"; recomputed: weight {again[0]}, {again[1]} cents"


def _provenance(provenance: Mapping[str, Any]) -> Iterator[str]:
    for of in provenance["publications"]:
        days = of["first_day"] if of["days"] == 1 else f"{of['first_day']} to {of['last_day']} ({of['days']} days)"
        yield f"{days}: published {of['published_at']} by run {of['run_id']}, build {of['build_id']}"
        yield f"  version of the model {_value(of['model_version'])}, of the project {of['project_version']}"
    loads = provenance["loads"]
    yield f"loads: {provenance['loads_total']}"
    for load in loads[:_LOADS_NAMED]:
        rows = f", {_count(load['rows'], 'row')}" if "rows" in load else ""
        yield f"  load {load['load_id']}: {load['file']}, loaded {load['loaded_at']}{rows}"
    if provenance["loads_total"] > _LOADS_NAMED:
        yield f"  and {provenance['loads_total'] - _LOADS_NAMED} more"
    if changed := provenance["changed_since"]:
        yield (
            f"changed since publication: {', '.join(changed)}. The rows above may be newer than the number;"
            " ops.stale_days has the reasons, and the sensor runs these days again"
        )


def _comparison(answer: Mapping[str, Any]) -> str:
    return "(equal)" if answer["is_equal"] else "(DIFFERENT from what is shown)"


def _shown_of(answer: Explanation) -> str:
    shown = len(answer["rows"])
    return "" if shown == answer["rows_total"] else f", of which {shown} are shown"


def _with_place(row: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in row.items() if name not in _PLACE}
    return rest | ({"read from": _place(row)} if row.get("file") else {})


def _from_place(event: Mapping[str, Any]) -> str:
    return f" from {_place(event)}" if event.get("file") else ""


def _place(row: Mapping[str, Any]) -> str:
    position = row.get("line_position") or 1
    return f"{row['file']} line {row['line_number']}" + (f", object {position}" if position > 1 else "")


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Return the rows in columns, without columns that are null in each."""
    used = {name for row in rows for name, value in row.items() if value is not None}
    # Times and days first, the place last.
    names = sorted(used, key=lambda name: (name == "read from", not name.endswith(("_at", "_date")), name))
    if not names:
        return []
    cells = [names, *([_value(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [("  " + "  ".join(map(str.ljust, line, widths))).rstrip() for line in cells]


def _value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
