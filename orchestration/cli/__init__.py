"""The command line `python -m orchestration`: its commands, and the processes that they start.

Every target of the Makefile goes through it, so modules of commands import nothing heavy before they run.
"""
