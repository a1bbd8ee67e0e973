"""Wallets live in a country of their own."""

from tests.country import country

__all__ = ["country"]
