"""Jobs that bring in what other systems hold."""
