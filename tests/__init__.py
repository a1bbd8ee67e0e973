"""Tests of specie. A package, so that no installed `tests` can take its place."""
