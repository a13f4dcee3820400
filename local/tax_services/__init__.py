"""Tax services on one machine: AvaTax, Vertex and VIES as callers see them, on good days and bad ones.

Nothing starts them but `python -m local.tax_services` and the tests that ask.
"""
