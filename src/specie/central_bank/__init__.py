"""The central bank: applications, four eyes, production and voiding of the currency.

In: banks' applications, officers, the accounting's references. Out: authorised transactions.
Imported by assembly and above; imports ports and pure layers, no other actor.
Invariants: nothing is produced without two officers and a reserve debit; an application is
produced once, however often it is retried.
"""
