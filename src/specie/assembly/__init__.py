"""Settings → wired institutions: the only place where ports meet their adapters.

In: a folder, a clock, settings. Out: a running network in this process.
Imported by the faces (cli, api, console) and the simulation; may import everything below.
Invariants: institutions share nothing but messages; each has its own database and keys.
"""
