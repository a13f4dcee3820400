"""Quantity times price model, with the reasoning kept."""
