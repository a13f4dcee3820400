"""Who changed or saw what, when, from where and why: written with the change itself, in the same unit."""
