"""Anomalies: measures of a day, held against the same weekday of the weeks before."""
