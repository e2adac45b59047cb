"""Validation of lines: valid events, and rejected lines with their reasons. `validator` is the entry point."""
