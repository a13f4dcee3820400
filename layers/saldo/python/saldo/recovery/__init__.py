"""Whether what was lost can be brought back: restore drills, and messages that were given up."""
