"""Ad spend: CSV files of the landing folder to rows of raw.ad_spend (loading.py)."""
