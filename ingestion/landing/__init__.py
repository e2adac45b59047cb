"""Landing files: where they are (storage.py), which there are (files.py), and the lines that they hold (reading.py)."""
