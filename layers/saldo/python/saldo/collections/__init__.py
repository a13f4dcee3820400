"""Reminding customers of what they owe: which letter is due, which never goes out."""
