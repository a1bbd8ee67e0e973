"""Databases and files: implements the store ports. SQL lives here and nowhere else.

In: frozen values. Out: the same values, durable when a method returns.
Imported by assembly and above; imports ports and pure layers, no actor.
Invariants: a write is one database transaction, synced; secrets are stored sealed only.
"""
