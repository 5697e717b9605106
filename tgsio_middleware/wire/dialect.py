"""The shape of a generation: what a module such as `eio4` offers, and the rows in which generations differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from ..errors import Refused
from ..packet import Message, Packet
from ..settings import Settings
from .javascript import Default


class Heartbeat(NamedTuple):
    """Who asks whether the other is alive, and how long silence may last."""

    #: True: the server asks every `ping_interval`; False: the client does.
    server_asks: bool
    #: True: the server asks on a transport that streams only, because a poll is a sign of life by itself.
    streaming_only: bool = False


class Octets(Enum):
    """When a poll's body is application/octet-stream and not text."""

    NEVER = 0
    IF_NEEDED = 1
    ALWAYS = 2


class Body(NamedTuple):
    """The body of an HTTP message: media type and bytes."""

    content_type: str
    data: bytes


class Answer(NamedTuple):
    """A whole HTTP answer: status line without the protocol, media type, bytes."""

    status: str
    content_type: str
    data: bytes


class Jsonp(NamedTuple):
    """How a generation polls by script elements."""

    #: The page's functions: `___eio` in `___eio[0]("...");`.
    call: str
    #: A posted payload is a JSON string; else only its line ends are escaped.
    quotes: bool


class Dialect(Protocol):
    """A generation, as a module."""

    #: 'eio4': for logs.
    NAME: str
    #: ('3.x', '4.x'): the clients that speak it, as `settings.GENERATIONS` names them.
    GENERATIONS: tuple[str, ...]
    #: Transport names of the wire to transport kinds: {'xhr-polling': 'polling'}.
    TRANSPORTS: dict[str, str]
    HEARTBEAT: Heartbeat
    #: The global namespace is connected without being asked for.
    GLOBAL_UNASKED: bool
    #: A packet for a namespace that is not connected ends the connection (else it is answered by an error).
    STRAY_ENDS: bool
    #: A client that polls may move to a websocket.
    UPGRADES: bool
    #: A client tries its transports one after another with one sid: who asks by the next one has heard nothing yet.
    FALLS_BACK: bool
    #: Polling by script elements, or None where there is none.
    JSONP: Jsonp | None
    #: What precedes binary data in a websocket's binary frame.
    BINARY_PREFIX: bytes
    #: The body that confirms a POST.
    POSTED: Body
    #: The packet, if any, that precedes a websocket's close frame; a poll always ends with `close`.
    FAREWELL: Packet | None

    def decode(self, message: Message) -> Packet:
        """One engine message to a packet; bytes become the packet `attachment`. Raises RemoteProtocolError."""

    def encode(self, packet: Packet, default: Default | None = None) -> tuple[Message, ...]:
        """A packet to engine messages. `default` says in JSON what JSON has no word for. Raises LocalProtocolError."""

    def answer(self, endpoint: str, ack_id: int, values: Sequence[Any], default: Default | None) -> tuple[Message, ...]:
        """What `encode` makes of an ack with these values."""

    def emission(self, endpoint: str, name: str, args: Sequence[Any], default: Default | None) -> tuple[Message, ...]:
        """What `encode` makes of an event with these values, without an id."""

    def hello(self, sid: str, settings: Settings, upgrades: tuple[str, ...]) -> tuple[Message, ...]:
        """What is said first on a new connection's first transport."""

    def handshake(self, sid: str, settings: Settings) -> Body | None:
        """The body of a handshake that is a request of its own (0.9), or None where hello is the handshake."""

    def refusal(self, endpoint: str, refused: Refused) -> tuple[Message, ...]:
        """How a namespace is refused."""

    def octets(self, query: Mapping[str, str]) -> Octets:
        """What the client that shook hands with this query takes for a poll's body."""

    def join_payload(self, messages: list[Message], octets: Octets, memory: Collection[str] = ()) -> Body:
        """Messages to the body of a poll. `memory`: see `split_payload`."""

    def split_payload(self, body: bytes, content_type: str, memory: set[str]) -> list[Message]:
        """A POST's body to messages. `memory` is this client's: what was learned from its earlier payloads.

        Raises RemoteProtocolError.
        """

    def http_refusal(
        self, reason: str, cause: str = '', transport: str | None = None, jsonp: str | None = None
    ) -> Answer:
        """How an HTTP request is refused; `reason` is one of `HandshakeRefused.REASONS`, `cause` more words for it;
        `transport` and `jsonp`, of a GET, are those of `negotiate.Wanted`.
        """
