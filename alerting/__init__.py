"""Alerts: which faults are open now, one message for each and one when it is over, by webhook and e-mail."""
