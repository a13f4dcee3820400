"""Estimated tax trued up, tax ids asked about again, issued documents told to the tax service."""
