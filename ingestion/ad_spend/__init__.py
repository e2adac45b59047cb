"""What advertising cost: CSV files of the landing folder to rows of raw (loading.py)."""
