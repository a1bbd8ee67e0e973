"""Who takes part: genesis, the signed, versioned lists, and the certificates that vouch for them.

In: signed bytes. Out: `Genesis`, lists of participants, services and cosigners, certificates and
revocations, proofs of new keys; who may attest for whom, who may speak for which institution.
Imported by ports, actors, flows and above; imports `log`, `crypto`, `values`.
Invariants: a list is used only after its signature holds; its version never goes back.
"""
