"""View ops.published_loads: the versions of landing files that a published day was built from."""

from typing import Final

VIEW: Final = """
select days.event_date, days.run_id, days.model_version, loads.load_id, loads.landing_date, loads.file,
    loads.checksum
from ops.published_days as days
inner join ops.loads as loads
    on loads.change_id <= days.change_id and days.event_date = any(loads.event_dates)
left join ops.loads as successors on successors.load_id = loads.replaced_by
where successors.change_id is null or successors.change_id > days.change_id
"""

COMMENTS: Final = {
    "": "The versions of landing files that a published day was built from. Grain: one row per day and load.",
}
