"""Coverage-guided fuzzing of every decoder that takes bytes from outside (X12; design §5, 6).

`targets.py` says what is fed and what must hold; `run.py` feeds one target in a process of its own;
`make fuzz` does so for a minute each, `make test` for some thousand inputs each.
"""
