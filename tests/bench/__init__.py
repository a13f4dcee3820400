"""Benchmarks: they print figures and write them down; nothing here asserts a time."""
