"""What a builder needs of a test's network."""

from specie.tokens.building import BuildContext
from specie.values.identifiers import ParticipantNumber, PublicKey
from tests.building import WINDOW, World


def make_build_context(world: World) -> BuildContext:
    """The world's rules, and a window round NOW."""

    def find_scan_key(bank: ParticipantNumber) -> PublicKey:
        return world.members.get(bank).scan_key

    genesis = world.genesis
    return BuildContext(genesis.network, genesis.proof_mode, find_scan_key, *WINDOW)
