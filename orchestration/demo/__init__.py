"""`make demo`: the sample marketplace from landing files to published numbers."""
