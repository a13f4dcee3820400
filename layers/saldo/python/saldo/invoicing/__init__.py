"""Invoices: drafted from charges, frozen, issued, settled."""
