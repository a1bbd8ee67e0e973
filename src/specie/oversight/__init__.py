"""Those who watch the log: witnesses (it only grows) and auditors (everything in it is right).

In: checkpoints with proofs of growth; full private batches. Out: cosignatures, or a refusal.
Imported by assembly and above; imports ports and pure layers, no other actor.
Invariants: a witness never cosigns two histories, also after a restart; an auditor cosigns only
what it has verified in full; their names and keys differ.
"""
