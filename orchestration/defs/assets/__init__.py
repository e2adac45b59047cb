"""Assets, one module a source or layer."""
