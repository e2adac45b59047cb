"""What a publication of a window takes out of a mart, and what it puts there, as SQL."""

from psycopg import sql

from publishing.marts import Mart
from publishing.scopes import Scope, replaced
from warehouse.window import Window


class Replacement:
    """The rows of a published mart that a run for the window replaces, and those of schema build that take their place.

    With `is_full_rebuild` the build has made anew what is otherwise carried on from what is published.
    """

    def __init__(self, mart: Mart, window: Window, *, is_full_rebuild: bool) -> None:
        self.mart = mart
        self.columns: sql.Composable = sql.SQL(", ").join(sql.Identifier(column.name) for column in mart.columns)
        self._built = sql.Identifier("build", mart.name)
        self._date = sql.Identifier(mart.date_column)
        # Conditions on the rows of the mart, and on those of schema build.
        self.deleted: sql.Composable = sql.SQL("true")
        self.inserted: sql.Composable = sql.SQL("true")
        dates = replaced(mart.scope, window)
        if dates:
            bounds = {"date": self._date, "start": sql.Literal(dates.start), "end": sql.Literal(dates.end)}
            self.deleted = self.inserted = sql.SQL("{date} >= {start} and {date} < {end}").format(**bounds)
        elif mart.scope is Scope.KEYS:
            self.inserted = sql.SQL("{} is not null").format(self._date)
            if not is_full_rebuild:
                keys = sql.SQL(", ").join(sql.Identifier(column) for column in mart.grain)
                self.deleted = sql.SQL("({keys}) in (select {keys} from {built})").format(keys=keys, built=self._built)

    @property
    def deleted_rows(self) -> sql.Composed:
        """A query of the rows that are published now."""
        return self._rows(self.mart.relation, self.deleted)

    @property
    def inserted_rows(self) -> sql.Composed:
        """A query of the rows that take their place."""
        return self._rows(self._built, self.inserted)

    def _rows(self, relation: sql.Identifier, condition: sql.Composable) -> sql.Composed:
        names = {"columns": self.columns, "relation": relation, "condition": condition}
        return sql.SQL("select {columns} from {relation} where {condition}").format(**names)
