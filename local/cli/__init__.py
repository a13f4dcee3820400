"""`saldo`: the command line of a deployment."""
