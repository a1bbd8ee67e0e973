"""A party's roster of a world: made from signed bytes, as every party makes its own."""

from specie.identity.genesis import sign_genesis
from specie.identity.participants import sign_participants
from specie.identity.roster import Roster
from tests.building import World


def make_roster(world: World) -> Roster:
    """The world's own list, for whoever was told its network id."""
    signed = sign_participants(world.members, world.list_key)
    return Roster(sign_genesis(world.genesis, world.list_key), signed, world.genesis.network)
