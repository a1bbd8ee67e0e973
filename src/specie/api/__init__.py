"""Faces: what a process offers over HTTP, and to whom.

In: requests of institutions, clients, officers, operators, anybody. Out: signed answers.
Imported by cli; imports assembly and everything below.
Invariants: who asks is established before anything is read of what is asked; a caller's flood slows
nobody else; a refusal has a code and changes nothing; no answer, log or trace holds a secret.
"""
