"""Errors of metric queries. Each message is one sentence that a caller may show."""

from warehouse.connection import WarehouseUnavailable

__all__ = ["InvalidDateRange", "NotAllowed", "NotFound", "WarehouseUnavailable"]


class InvalidDateRange(Exception):
    """A range that ends before it starts or has an unpublished day, or a period that does not exist."""


class NotFound(Exception):
    """An id that does not exist, or that is another creator's or brand's."""


class NotAllowed(Exception):
    """A question that the login has no right to ask."""
