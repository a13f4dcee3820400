"""The policies that get deployed, enforced while tests run: each AWS call of a hosted function is checked as AWS would.

iam.py decides, calls.py says what a call asks of IAM, deployed.py reads the synthesised templates, gate.py stands
between a function and its clients. `make permissions` prints what is granted and never used.
"""
