"""Subscriptions sold for a term, which renew themselves."""
