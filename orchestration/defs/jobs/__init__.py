"""Jobs: daily_refresh with its variants, and one module for each job of maintenance."""
