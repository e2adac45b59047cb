"""The report of package reporting as a file: its place, and its writing after each publication."""
