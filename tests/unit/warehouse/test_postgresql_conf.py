"""Memory of the embedded server."""

import pytest

from warehouse.embedded.postgresql_conf import buffers_mb

GIGABYTE = 1024**3


@pytest.mark.parametrize(
    ("memory_gb", "expected_mb"), [(1, 256), (2, 256), (4, 512), (8, 1_024), (24, 1_024), (512, 1_024)]
)
def test_buffers_are_an_eighth_of_the_memory_within_bounds(memory_gb: int, expected_mb: int) -> None:
    assert buffers_mb(memory_gb * GIGABYTE) == expected_mb
