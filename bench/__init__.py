"""Measurements, run from a clone of the source: `python -m bench.NAME [--json]`.

In: the installed package. Out: figures with their spread, for people or as JSON.
Nothing in `src` imports it; `specie bench NAME` starts it as a process of its own.
Each figure is also given as a ratio to a fixed piece of work timed beside it, so that figures
of noisy or different machines can be compared.
"""
