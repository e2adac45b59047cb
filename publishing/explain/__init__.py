"""Explanations of published numbers: the events and rows that make up a conversion or a cell of a mart."""
