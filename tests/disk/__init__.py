"""Disks that fail as real ones do: power that goes, room that ends."""
