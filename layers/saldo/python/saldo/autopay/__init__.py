"""Paying by itself: rules a person can read, debits that are announced first, what a day collects."""
