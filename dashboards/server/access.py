"""Access of creators and brands: the role that they have, and the questions that they may ask."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from superset.security import SupersetSecurityManager

# What a dashboard's page asks for. Everything else, SQL Lab and exploration first of all, is left out.
PORTAL_PERMISSIONS: Final = frozenset(
    {
        ("can_read", "Dashboard"),
        ("can_read", "Chart"),
        ("can_read", "Dataset"),
        ("can_read", "CurrentUserRestApi"),
        ("can_read", "DashboardFilterStateRestApi"),
        ("can_write", "DashboardFilterStateRestApi"),
        ("can_read", "SecurityRestApi"),
        ("can_read", "Theme"),
        ("can_dashboard", "Superset"),
        ("can_log", "Superset"),
        ("can_get", "MenuApi"),
        ("can_time_range", "Api"),
        ("can_userinfo", "UserDBModelView"),
        ("resetmypassword", "UserDBModelView"),
        ("can_this_form_get", "ResetMyPasswordView"),
        ("can_this_form_post", "ResetMyPasswordView"),
        ("menu_access", "Dashboards"),
        # The page after the login asks for it; nothing is recorded.
        ("can_recent_activity", "Log"),
        ("can_csv", "Superset"),
        ("can_export_csv", "Chart"),
    }
)


class PortalSecurityManager(SupersetSecurityManager):  # type: ignore[misc]
    """Security manager by which creators and brands ask for columns and metrics of datasets, and for no SQL."""

    def raise_for_access(self, *arguments: Any, **named: Any) -> None:
        """Raise SupersetSecurityException where a query of a creator or brand holds SQL of its own."""
        context = named.get("query_context")
        if context is not None and self._is_portal_user() and not is_plain(context):
            raise SupersetSecurityException(
                SupersetError(
                    error_type=SupersetErrorType.DATASOURCE_SECURITY_ACCESS_ERROR,
                    message="This login may look at dashboards, and not ask questions of its own.",
                    level=ErrorLevel.WARNING,
                )
            )
        super().raise_for_access(*arguments, **named)

    def _is_portal_user(self) -> bool:
        from flask import g, has_request_context

        from dashboards.server.portal_logins import find

        user = getattr(g, "user", None) if has_request_context() else None
        return user is not None and not user.is_anonymous and find(user.username) is not None


def is_plain(context: Any) -> bool:
    """Return whether the queries of a query context name columns and metrics alone."""
    known = {column.column_name for column in context.datasource.columns}
    metrics = {metric.metric_name for metric in context.datasource.metrics}
    return all(_is_plain_query(query, known, metrics) for query in context.queries)


def _is_plain_query(query: Any, columns: set[str], metrics: set[str]) -> bool:
    extras: Mapping[str, Any] = query.extras or {}
    if extras.get("where") or extras.get("having") or query.annotation_layers:
        return False
    filtered = [one.get("col") for one in query.filter or []]
    named: Iterable[Any] = [
        *(query.columns or []),
        *(query.series_columns or []),
        *filtered,
        *_given(query.granularity),
    ]
    counted = [*(query.metrics or []), *_given(query.series_limit_metric)]
    sorted_by = [part[0] for part in query.orderby or []]
    return (
        all(_is_column(one, columns) for one in named)
        and all(isinstance(one, str) and one in metrics for one in counted)
        and all(_is_column(one, columns | metrics) for one in sorted_by)
    )


def _given(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _is_column(column: Any, columns: set[str]) -> bool:
    """Return whether it is the name of a column, or an axis that is one."""
    name = column.get("sqlExpression") if isinstance(column, Mapping) else column
    return isinstance(name, str) and name in columns


def role_of(audience: str) -> str:
    """Return the name of the role of an audience."""
    return f"{audience.capitalize()} portal"
