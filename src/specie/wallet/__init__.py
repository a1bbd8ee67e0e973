"""What a holder runs: keys from a phrase, a vault of tokens, payments that survive a crash.

In: orders, outputs from the bank, answers of the notary. Out: signed transactions to be attested.
Imported by actors (a bank's vault is one), flows' callers, assembly; imports ports and pure layers.
Invariants: a token is reserved for one payment at most; a transaction is recorded before it
leaves; a token counts only if it rebuilds from its opening.
"""
