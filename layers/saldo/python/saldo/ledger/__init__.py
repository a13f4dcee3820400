"""The journal: balanced, immutable entries; balances, open items and aging are folds of it."""
