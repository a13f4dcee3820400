"""What people are told of in the portal."""
