"""What a test floods, and with what: bank 3 and a stranger, against the notary, desk and site."""

from specie.remote import desk_operations as desk
from specie.remote import models
from specie.remote import notary_operations as notary
from specie.remote.channel import build_request, get_host
from specie.remote.fields import Empty
from specie.remote.signing import Target as Asked
from specie.remote.signing import name_receiver, sign_request
from specie.values.identifiers import OrderId, ServiceName
from tests.network.flooding import Target
from tests.network.pilot import Pilot, draw


def aim(pilot: Pilot) -> list[Target]:
    """Bank 3 at the notary and at the desk, and somebody at the registration's public face."""
    password = pilot.open_keys("bank-3").get_secret("tls-password").hex()
    channel = pilot.open_channel("bank-3")
    supply = build_request(notary.GET_SUPPLY, Empty())[0]
    query = models.OrderQuery(order=OrderId(draw()))
    application = build_request(desk.GET_APPLICATION, query)[0]

    def make(what: str, to: str, listener: str, host: str, path: str, secret: str) -> Target:
        where, port = get_host(pilot.get_url(to, listener))
        target = Asked("GET", path, "", name_receiver(channel.peers.network, ServiceName(to)))
        speaker, now = channel.speaker, channel.clock.now()
        headers = sign_request(target, b"", speaker.name, speaker.key, now) if secret else {}
        lines = [f"{key}: {value}" for key, value in {**headers, "host": to}.items()]
        asked = "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]) if path else ""
        return Target(what, where, port, host, asked, str(pilot.data / "bank-3"), secret)

    return [
        make("notary", "notary", "institutions", "127.0.0.3", supply, password),
        make("desk", "central-bank", "institutions", "127.0.0.4", application, password),
        make("stranger", "registration", "public", "127.0.0.5", "/checkpoint", ""),
        make("silent", "notary", "institutions", "127.0.0.6", "", ""),
    ]
