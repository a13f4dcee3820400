"""ministack, the embedded AWS, with what it lacks for Saldo: durable state, exact schedules, living alarms.

No file of the package is touched. Every place that is replaced is first checked against what it was when this was
written, so that another version fails at start instead of failing quietly.
"""
