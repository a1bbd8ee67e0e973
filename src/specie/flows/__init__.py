"""One script per business process, to be read as a story. Each has an owning institution.

In: ports and orders. Out: the notary's promise, with every side informed.
Imported by assembly and above; imports ports and pure layers, no store and no actor.
Invariants: every step is idempotent, so that the whole script may be run again after any stop.
"""
