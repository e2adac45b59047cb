"""Dashboards as code: specs in YAML, the SQL of their charts, and the bundle that Apache Superset imports.

Everything here is a pure function of the specs and of the columns of the marts. The server itself has an environment of
its own; what runs there stands in the folder superset_server.
"""
