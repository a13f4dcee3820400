"""Documents on their way to the customer, and how far each copy got."""
