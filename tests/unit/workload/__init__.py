"""Tests of the workload: reading profiles, drawing orders, and what both must keep (T26)."""
