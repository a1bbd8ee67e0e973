"""Slices of the people's part on one network: each with wallets of its own."""
