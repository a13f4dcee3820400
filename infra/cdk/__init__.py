"""The deployment as CDK stacks: one per concern (data, portal, runs, events, watch), one set per region."""
