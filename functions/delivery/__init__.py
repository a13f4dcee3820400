"""Sending documents."""
