"""Hosted jobs: one folder each, thin handlers that parse, call and answer."""
