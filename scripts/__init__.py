"""The project's own checks, run by `make check`; not part of what is installed."""
