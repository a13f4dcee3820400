"""What every HTTP application of ours shares: how a request is seen, answered, refused, logged and watched."""
