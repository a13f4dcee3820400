"""Who buys and who sells: organisations, billing accounts, legal entities and their billing profiles."""
