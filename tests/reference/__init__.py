"""Slow, plain-Python twins of every function of the native kernel.

Takes and gives bytes, as the kernel does; secrets are plain integers here. Written from
docs/spec and the papers, not from the Rust code, so that an error has to be made twice.
Imported by tests only. Not constant-time: never for real money.
"""
