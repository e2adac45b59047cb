"""Superset's settings, in the names that Superset reads: metadata, caches, access, and no host but this one."""

from pathlib import Path
from typing import Any

from superset.utils.log import AbstractEventLogger

from dashboards.server import connections
from dashboards.server.access import PortalSecurityManager
from dashboards.server.server_settings import from_file

_SETTINGS = from_file()
_DAY = 24 * 60 * 60


class NoEventLogger(AbstractEventLogger):  # type: ignore[misc]
    """Logger that keeps nothing: who looked at what is personal data, and nobody asks for it."""

    def log(self, *arguments: Any, **named: Any) -> None:
        """Drop the event."""


def _cache(name: str, seconds: int) -> dict[str, Any]:
    # In files, which all threads and `warehouse erase-subject` reach; not in the metadata, where they would stay.
    return {
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": str(Path(_SETTINGS.folder) / "cache" / name),
        "CACHE_DEFAULT_TIMEOUT": seconds,
        "CACHE_THRESHOLD": 5_000,
        "CACHE_OPTIONS": {"mode": 0o600},
    }


APP_NAME = "Marketplace dashboards"
SECRET_KEY = _SETTINGS.secret_key
SQLALCHEMY_DATABASE_URI = _SETTINGS.metadata_url
# The embedded server may have been started again in between.
SQLALCHEMY_ENGINE_OPTIONS = {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 4}

# Numbers are at most five minutes older than the marts.
CACHE_DEFAULT_TIMEOUT = 300
CACHE_CONFIG = _cache("metadata", 300)
DATA_CACHE_CONFIG = _cache("data", 300)
FILTER_STATE_CACHE_CONFIG = _cache("filters", _DAY)
EXPLORE_FORM_DATA_CACHE_CONFIG = _cache("explore", _DAY)

EVENT_LOGGER = NoEventLogger()
SUPERSET_LOG_VIEW = False
CUSTOM_SECURITY_MANAGER = PortalSecurityManager
DB_CONNECTION_MUTATOR = connections.connect_as_the_user
AUTH_USER_REGISTRATION = False
PUBLIC_ROLE_LIKE = None
FEATURE_FLAGS = {
    "DRILL_BY": False,
    "DRILL_TO_DETAIL": False,
    "EMBEDDED_SUPERSET": False,
    "ENABLE_TEMPLATE_PROCESSING": False,
    "TAGGING_SYSTEM": False,
}
# The settings by which row policies know a portal's user must not be changed in a query.
DISALLOWED_SQL_FUNCTIONS = {
    "postgresql": {
        "current_database",
        "current_setting",
        "current_user",
        "database_to_xml",
        "inet_client_addr",
        "inet_client_port",
        "inet_server_addr",
        "inet_server_port",
        "pg_ls_dir",
        "pg_read_binary_file",
        "pg_read_file",
        "pg_sleep",
        "pg_terminate_backend",
        "query_to_xml",
        "session_user",
        "set_config",
        "table_to_xml",
        "version",
    }
}

# A telemetry pixel is compiled into the pages; the policy keeps it, maps and fonts of other hosts from being asked.
SCARF_ANALYTICS = False
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'none'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# The pages are in English; another language would be loaded from files that the package lacks.
LANGUAGES: dict[str, Any] = {}
LOG_LEVEL = "WARNING"
