"""Version 1 of the API: what is here stays as it is, but for fields and routes that are added."""
