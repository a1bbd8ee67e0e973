"""A bank: clients with their view keys, attestation, deposit accounts, its own vault.

In: client requests, payments to attest, promises. Out: attestations, deliveries, booked entries.
Imported by assembly and above; imports wallet (its vault), ports and pure layers, no other actor.
Invariants: it can neither spend nor redirect its clients' tokens; it attests only what it has
recomputed from openings; deposits change only with a token movement.
"""
