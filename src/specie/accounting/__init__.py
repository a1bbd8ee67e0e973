"""The accounting of the central bank: reserve accounts and the issuance fund, double entry.

In: debit and credit requests. Out: booked entries and signed references to them.
Imported by assembly and above; imports ports and pure layers, no other actor.
Invariants: reserves + issuance fund never change by issuance or redemption (P10).
"""
