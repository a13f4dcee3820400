"""From what was read to what a template shows: pure functions, words in, texts out."""
