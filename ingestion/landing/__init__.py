"""Landing files: where they are (places.py), which there are (files.py), and the lines that they hold (reading.py)."""
