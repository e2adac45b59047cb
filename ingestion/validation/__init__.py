"""From a line to its outcome (validator.py), by way of its spelling and, for lines that are refused, of the reasons."""
