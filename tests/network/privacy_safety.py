"""What Zaphira does in case she loses her device, and what her bank's officers write down."""

import datetime as dt
import secrets
from pathlib import Path

import cbor2
from cryptography import x509

from specie.crypto.hashing import tagged_hash
from specie.remote.people_operations import KEEP_SHARE
from tests.network.privacy_story import CLIENT, Story
from tests.network.privacy_travel import TOLD_CLIENT, WHO

SUSPICION, NOTE, REFERENCE = "pays like Pontefract", "called from Llanwrtyd", "court 88/Ombersley"
TEXT = "Vellichor-lunch-4471"  # of a request: one word, so that a link spells it as it is


def tell_of_safety(story: Story) -> None:
    """Everybody is searched afterwards; see privacy_story.py."""
    pilot, cage = story.pilot, story.cage
    code = pilot.wallet("qz", "loss-code")
    cage.add_text("loss code", code)
    cage.add_bytes("loss code", bytes.fromhex(code))
    cage.add_bytes("hash of the loss code", tagged_hash("code", bytes.fromhex(code)))
    pilot.wallet("qz", "shares", "3", "--bank-keeps-one")
    [kept] = story.list_asked("bank-2", KEEP_SHARE.path)
    cage.add_text("share at the bank", cbor2.loads(kept.body)["share"])
    pilot.wallet("qz", "request", "12.50", "--memo", TEXT)
    cage.add_text("request's text", TEXT)
    _add_certificate(story)
    pilot.bank(2, "suspect", CLIENT, "--as", "Ada", "--reason", SUSPICION)
    pilot.bank(2, "note", "1", NOTE, *WHO)
    later = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=99)
    order = ("--order-reference", REFERENCE, "--until", later.isoformat())
    pilot.bank(2, "freeze", TOLD_CLIENT, *order, *WHO)
    for text in (SUSPICION, NOTE, REFERENCE):
        cage.add_text("case, freeze", text)


def _add_certificate(story: Story) -> None:
    """By its key's name, and by a line of it in the middle."""
    path = Path(story.pilot.devices) / f"{secrets.token_hex(4)}.pem"
    story.pilot.wallet("qz", "certificate", "--out", str(path))
    lines = path.read_text().splitlines()
    [uri] = (
        x509.load_pem_x509_certificate(path.read_bytes())
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.UniformResourceIdentifier)
    )
    story.cage.add_text("device's certificate", uri.rpartition("/")[2])
    story.cage.add_text("device's certificate", lines[3])
