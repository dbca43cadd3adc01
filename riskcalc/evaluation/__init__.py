"""From regimes in numbers to risks: which formula is evaluated when, in any number system.

These files hold the order of the steps and the case distinctions; every equation comes lowered from `riskcalc.theory`.
"""
