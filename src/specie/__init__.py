"""specie: a central bank digital currency that runs.

Layers, top to bottom, are drawn in ARCHITECTURE.md; each package's card says who may import it.
"""
