"""The command line `python -m orchestration`, one module a command."""
