"""From lines to rows on the server: judged and packed (judging.py, rows.py), and sent to the tables where they belong
for now (intake.py, outbox.py). Which copies stay there is decided in resolution/.
"""
