"""Ports over the network: what institutions say to each other, signed, and the clients that say it.

In: calls of ports. Out: the same calls at another institution's process, and its answers.
Imported by assembly, api and above; imports ports and pure layers, no actor.
Invariants: every message between institutions is signed and bound to its receiver; an answer is
believed only from the service that was asked; a call may be repeated and has one effect.
"""
