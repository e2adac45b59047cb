"""Assets, one module for each source or layer."""
