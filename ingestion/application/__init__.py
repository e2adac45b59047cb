"""The product's own Postgres: its tables become versions in raw (reader.py), its events landing files (events.py)."""
