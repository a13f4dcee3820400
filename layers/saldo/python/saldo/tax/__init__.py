"""Which tax applies, and how it is summed and rounded."""
