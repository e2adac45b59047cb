"""Which copies of an event are stored: deduplication and the rate limit, as SQL over the candidates of a load.

Both are decided over everything that is in raw and not over one file, so that the outcome does not depend on the order
in which files arrive. Only rows that share a key, or a clock minute of one visitor, with a candidate are looked at.
resolving.py says in which order, the others hold the statements.
"""
