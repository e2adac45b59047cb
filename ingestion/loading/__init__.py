"""From lines to rows on the server: judged and packed (judging.py, rows.py), here or by other processes (workers.py),
and sent to the tables where they belong for now (intake.py, outbox.py). Which copies stay there resolution/ decides.
"""
