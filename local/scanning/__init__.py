"""`make audit`: what is known against our dependencies, our code and what lies in the repository by mistake.

A scanner that could not look is worse than one that finds something: nothing counts as clean that was not checked.
"""
