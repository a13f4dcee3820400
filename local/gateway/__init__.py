"""A payment gateway on one machine: hosted pay page, test cards, SEPA debits, signed webhooks, payouts, and moods.

It behaves as a real gateway does where it matters: idempotency keys count for ever, answers may get lost, news comes
late, twice and out of order. It moves no money and keeps no card numbers (only brand and last four digits).
"""
