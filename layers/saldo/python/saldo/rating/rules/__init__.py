"""One file per price model, one registry, and the share of a period. Values in, values out."""
