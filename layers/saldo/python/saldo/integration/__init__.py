"""How the outside learns what happened here, and how the past is brought in."""
