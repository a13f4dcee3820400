"""The deployment as CDK stacks: one per concern (data, portal, runs, events, watch, front), one set per region."""
