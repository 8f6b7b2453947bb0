"""Figures from plain tables: a function each, which returns a matplotlib Figure in one quiet style."""
