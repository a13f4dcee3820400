"""The steps of an invoice run, as the state machine calls them."""
