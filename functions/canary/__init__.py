"""A customer of our own who signs in, is billed, pays and is credited, again and again, so that we notice first."""
