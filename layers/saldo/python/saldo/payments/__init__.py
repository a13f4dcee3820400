"""Taking payments through a gateway: started, settled, applied to invoices, paid out; each exactly once."""
