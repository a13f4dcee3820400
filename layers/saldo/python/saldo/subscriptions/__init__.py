"""Who buys which plan, from when to when, and which periods fall due."""
