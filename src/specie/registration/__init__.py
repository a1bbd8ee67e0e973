"""Registration: the public read side of the log, with an index, proofs and signed statements.

In: the published log. Out: receipts, proofs of inclusion and consistency, signed states of
outputs, the supply over time; nothing that tells whose anything is.
Imported by assembly and above; imports ports and pure layers, no other actor.
Invariants: it follows the log only forward and only after checking that the leaves are those of
the checkpoint; everything it answers can be checked against a signed checkpoint.
"""
