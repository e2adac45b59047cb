"""Jobs: the daily chain, and one module for each job of maintenance."""
