"""Tokens in a holder's hands: selection, building, scanning; the same for wallets and vaults.

In: keys, tokens, orders, the network. Out: signed transactions with what banks must be shown.
Imported by ports, actors, flows and above; imports `ledger`, `identity`, `crypto`, `values`.
Invariants: a payment always has two outputs; amounts balance before anything is signed.
"""
