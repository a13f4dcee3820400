"""An invoice run: one seller, one date, every account that is due, each invoice once. One file per step."""
