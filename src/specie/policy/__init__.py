"""A bank's policy as data: tiers with limits, rules against money laundering, cases (T20, X9).

In: the text of a policy, facts of a payment and of what its client paid before. Out: findings with
their consequence, a rehearsal over past payments, the next state of a case. Imported by ports and
above; pure: no clock, no disk. Invariants: integers only; what is at a limit passes, one unit more
does not; the strictest consequence wins.
"""
