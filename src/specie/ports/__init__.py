"""Every seam of the system, one file each: Protocols only.

In and out: frozen values of the pure layers. Actors are given ports, adapters implement them.
Imported by actors, flows, adapters, assembly; imports the pure layers.
Invariants: nothing here has behaviour; a method that answers has made its effect durable.
"""
