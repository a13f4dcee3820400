"""How worked cases are read and answered, area by area."""
