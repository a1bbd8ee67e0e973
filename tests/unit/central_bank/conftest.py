"""The central bank works in a country of its own."""

from tests.country import country

__all__ = ["country"]
