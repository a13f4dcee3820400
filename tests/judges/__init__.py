"""Programs of others that look for flaws: `make judges`. What they found, and what became of it: docs/security.md."""
