"""Deduplication and rate limit, as SQL over the candidates of a load.

Both are decided over all of schema raw and not over one file, so that the result does not depend on the order in which
files arrive. Only rows that share a key, or a clock minute of one visitor, with a candidate are read. `resolve` runs
the statements of the other modules in their order.
"""
