"""Landing files: their storage (storage_url.py), their listing (files.py), and their lines (reading.py)."""
