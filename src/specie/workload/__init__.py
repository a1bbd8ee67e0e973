"""Statistics of real payments → a stream of orders for the demo, the benchmarks, the simulation.

In: the texts of a profile folder, or the built-in profile; how many clients and payments; a seed.
Out: `Profile`; for a `WorkloadPlan`, starting balances and a stream of `WorkloadOrder`s; summaries.
Imported by store (reading the folder), simulation and cli; imports only values.
Invariants: pure and reproducible from the seed; whatever is malformed is refused with file and
line; orders are feasible in the order they come, from the starting balances of the same plan;
their kinds and hours keep the profile's proportions, their amounts its means and deviations.
"""
