"""How Saldo keeps what it knows: one table, all-or-nothing writes, sealed fields, files and settings."""
