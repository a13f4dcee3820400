"""What would be invoiced: quotes from one document, by the same path as an invoice run."""
