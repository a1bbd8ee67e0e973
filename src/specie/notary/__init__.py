"""The notary: stops the second spend, promises finality, publishes the log.

In: encoded attested transactions. Out: signed promises, later leaves under a checkpoint.
Imported by assembly and above; imports ports and pure layers, no other actor.
Invariants: a promise leaves only after its transaction is durable; one output, one spend; the
same transaction gets the same answer.
"""
