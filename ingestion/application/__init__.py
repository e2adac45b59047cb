"""Import from the product's Postgres: tables become versions in raw (sync.py), events landing files (events.py)."""
