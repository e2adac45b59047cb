"""A warehouse with two published days, and a webhook."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.integration.alerting.on_call import OnCall, at
from tests.support.receivers import webhook


@pytest.fixture
def on_call(connection: psycopg.Connection) -> Iterator[OnCall]:
    connection.commit()
    connection.autocommit = True
    with webhook() as receiver:
        found = OnCall(connection, receiver)
        found.publish(1, 2, now=at(3, 3))
        found.apply_models()
        yield found
