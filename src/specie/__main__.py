"""`python -m specie` is `specie`."""

from specie.cli import main

if __name__ == "__main__":
    main()
