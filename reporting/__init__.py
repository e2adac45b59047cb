"""Answers for readers of the marts: queries by name, and the page that needs no server."""
