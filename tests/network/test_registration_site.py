"""The registration's pages in a real browser, and their lines as they are printed (P6, X2, X3)."""
