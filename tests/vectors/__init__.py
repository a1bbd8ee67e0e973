"""Golden bytes: JSON files that pin docs/spec, each with its provenance.

What is here must hold forever; `generate.py` made it and refuses to overwrite it.
"""
