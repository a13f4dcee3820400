"""What comes in from other systems: invoices issued elsewhere, with their settlements."""
