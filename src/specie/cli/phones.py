"""A device's part in the directory, with its bank and the published log at hand (T8, X3)."""

from dataclasses import replace
from pathlib import Path

from specie.cli.mirroring import Source
from specie.cli.trust import load_backing, load_trust
from specie.crypto.secrets import SpendKey
from specie.directory.answers import AnswerTrust
from specie.directory.watching import WatchReport, watch
from specie.identity.cosigners import Backing
from specie.log.notes import verify_note
from specie.ports.directory import OwnPhoneStore
from specie.remote.channel import Channel
from specie.remote.directory import ServingDirectory
from specie.remote.institutions import CENTRAL_BANK
from specie.store.log_files import LogFolder
from specie.tokens.holdings import HolderKeys
from specie.values.identifiers import ParticipantNumber
from specie.wallet.phone import HolderPhone


def open_phone(
    keys: HolderKeys,
    bank: ParticipantNumber,
    channel: Channel,
    store: OwnPhoneStore,
    public: Path,
    former: tuple[SpendKey, ...],
) -> HolderPhone:
    """By the newest lists; `former` are keys that the device had for its number before."""
    peers = channel.peers
    trusted = load_trust(public, peers.network)
    receipts = replace(trusted, participants=peers.roster.current)
    return HolderPhone(
        address=keys.address,
        spend=keys.spend,
        serving=peers.get_serving(bank).number,
        bank=ServingDirectory(channel, bank),
        store=store,
        trust=AnswerTrust(peers.roster, receipts, peers.get_service(CENTRAL_BANK).key),
        clock=channel.clock,
        former=former,
    )


def watch_log(source: Source, store: OwnPhoneStore) -> tuple[WatchReport, tuple[Backing, ...]]:
    """Over the whole log, as it is published, and who has cosigned that; what was seen is kept."""
    with source.open(None) as folder:
        trust = load_trust(folder, source.network)
        log = LogFolder(folder)
        signed = verify_note(log.read_checkpoint(), trust.get_log_key(), trust.cosigners)
        checkpoint, backing = signed.checkpoint, load_backing(trust, signed, None)
        leaves = log.iterate_leaves(checkpoint.size)
        report = watch(leaves, checkpoint, store.load_watched(), trust.genesis)
    store.record_seen(report.seen)
    store.forget_relied(report.kept)
    return report, backing
