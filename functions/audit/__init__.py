"""Keeps the record of who did what beyond doubt."""
