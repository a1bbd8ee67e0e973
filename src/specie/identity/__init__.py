"""Who takes part: the network's genesis and the signed, versioned participant list.

In: signed bytes. Out: `Genesis`, `ParticipantList`, and who may attest for whom.
Imported by ports, actors, flows and above; imports `crypto` and `values`.
Invariants: a list is used only after its signature holds; its version never goes back.
"""
