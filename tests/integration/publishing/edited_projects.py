"""Edited projects: copies of the dbt project with edits, loaded into a pipeline as Dagster loads them."""

import shutil
from collections.abc import Callable
from pathlib import Path

from publishing.loaded_version import PROJECT_DIR
from tests.support.pipeline import Pipeline

Edit = Callable[[Path], None]


def edited(name: str, old: str, new: str, *, times: int = -1) -> Edit:
    """Return an edit of a file of the project, which is found by its name: everywhere, or so many times."""

    def edit(folder: Path) -> None:
        [path] = folder.glob(f"**/{name}")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, times))

    return edit


def both(*edits: Edit) -> Edit:
    """Return these edits as one."""

    def edit(folder: Path) -> None:
        for part in edits:
            part(folder)

    return edit


TWICE = edited("funnel_daily.sql", "coalesce(counts.visitors, 0) as", "2 * coalesce(counts.visitors, 0) as")
THRICE = edited("funnel_daily.sql", "coalesce(counts.visitors, 0) as", "3 * coalesce(counts.visitors, 0) as")
FEWER = edited("asset_top_referrers.sql", "ranked.rank <= 10", "ranked.rank <= 1")

# A column of another type, with other values.
RETYPED = both(
    edited(
        "funnel_daily.sql",
        "coalesce(counts.visitors, 0) as visitors",
        "cast(2 * coalesce(counts.visitors, 0) as numeric(20, 0)) as visitors",
    ),
    edited(
        "marts/core/_funnel__models.yml",
        "- name: visitors\n        data_type: bigint",
        "- name: visitors\n        data_type: numeric(20,0)",
        times=1,
    ),
)
NEW_COLUMN = both(
    edited(
        "attribution_paths.sql", "md5(path) as path_id,", "cast(2 as integer) as version_number, md5(path) as path_id,"
    ),
    edited(
        "marts/core/_attribution__models.yml",
        "      - name: path_id\n",
        "      - name: version_number\n        data_type: integer\n        description: It\n      - name: path_id\n",
    ),
)


def renamed(folder: Path) -> None:
    """Give the mart asset_top_referrers the name asset_referrers."""
    [model] = folder.glob("models/**/asset_top_referrers.sql")
    model.rename(model.with_name("asset_referrers.sql"))
    for path in folder.glob("models/**/*.yml"):
        path.write_text(path.read_text().replace("asset_top_referrers", "asset_referrers"))


Copies = dict[tuple[Edit, ...], Path]


class Projects:
    """Projects that a pipeline loads one after the other. The same edits give the same project, parsed once.

    Several pipelines may share a folder and the copies in it.
    """

    def __init__(self, pipeline: Pipeline, folder: Path, copies: Copies | None = None) -> None:
        self._pipeline, self._folder = pipeline, folder
        self._copies: Copies = {} if copies is None else copies

    def load(self, *edits: Edit, is_applied: bool = False) -> None:
        """Load the project with these edits. They are applied, or wait for a plan."""
        if edits not in self._copies:
            folder = self._folder / f"project-{len(self._copies)}"
            shutil.copytree(PROJECT_DIR, folder, ignore=shutil.ignore_patterns("target", "logs"))
            for edit in edits:
                edit(folder)
            self._copies[edits] = folder
        self._pipeline.load_project(self._copies[edits], is_applied=is_applied)
