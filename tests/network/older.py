"""`specie` as the version before it: what it says and what it understands is one less."""

from specie.remote import operations

operations.VERSION -= 1  # before anybody else imports it

from specie.cli.app import main  # noqa: E402  # only now, with the version of before

if __name__ == "__main__":
    main()
