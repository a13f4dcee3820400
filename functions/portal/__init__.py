"""The customers' portal: full pages and plain forms over HTTP."""
