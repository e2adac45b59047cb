"""Databases of a test session, made from templates by the server's superuser."""

import psycopg

from orchestration.cli.provision import prepare
from warehouse.connection import DATABASE, Warehouse
from warehouse.embedded.data_dir import OWNER


def superuser(warehouse: Warehouse) -> psycopg.Connection:
    """Return a connection of the superuser to another database than the warehouse's."""
    return psycopg.connect(warehouse.superuser_url("postgres"), autocommit=True)


def create_from(template: str, warehouse: Warehouse, connection: psycopg.Connection) -> None:
    """Create the warehouse's database from a template."""
    connection.execute(f"create database {DATABASE} owner {OWNER} template {template} strategy file_copy")  # type: ignore[arg-type]
    # A template does not hand down the rights on the database itself; this brings them, and the application's.
    prepare(warehouse)


def drop(connection: psycopg.Connection) -> None:
    """Drop the warehouse's database, whoever is connected to it."""
    connection.execute(f"drop database {DATABASE} with (force)")
