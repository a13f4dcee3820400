"""Documents people keep: the invoice and the receipt, as PDF in the customer's language."""
