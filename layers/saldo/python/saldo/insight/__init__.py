"""What the records say about themselves: the invariants that must hold after every step."""
