"""A month end of many accounts through the hosted functions, on this machine."""
