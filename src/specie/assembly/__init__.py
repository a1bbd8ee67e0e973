"""Settings → wired institutions: the only place where ports meet their adapters.

In: a folder, a clock, settings. Out: a whole network in this process, or one institution's own:
its keys, lists, certificates, worker; and what officers decide, enrol and renew.
Imported by the faces (cli, api, console) and the simulation; may import everything below.
Invariants: institutions share nothing but messages; each has its own database and keys.
"""
