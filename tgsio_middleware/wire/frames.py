"""Websocket frames (RFC 6455), the server's side, without extensions.

Why own code and not a library: every event of every client passes here. A short masked text frame, the common case,
costs 0.7 microseconds in the loop below; the sans-IO protocol of `websockets` takes 3.2, wsproto 10 (measured with the
project's benchmark rig). What is left besides the common case, fragments, control frames and closing, is small once the
handshake is a WSGI matter.
"""

from __future__ import annotations

import base64
import codecs
import hashlib

from ..errors import RemoteProtocolError, TooLarge
from ..packet import Message

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

_int = int.from_bytes
#: A mask and n bytes are unmasked as one number: the mask repeated often enough, and the number's length in bytes.
_REPEATED = [sum(1 << 32 * j for j in range((n + 7) // 4)) for n in range(126)]
_LENGTH = [(n + 7) // 4 * 4 for n in range(126)]
_SHORT_TEXT = [bytes((0x80 | TEXT, n)) for n in range(126)]


def accept(key: str) -> str:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key; raises RemoteProtocolError unless the key is 16 bytes in base64."""
    try:
        fits = len(base64.b64decode(key.encode('ascii'), validate=True)) == 16
    except ValueError:
        fits = False
    if not fits:
        raise RemoteProtocolError('Sec-WebSocket-Key is not 16 bytes in base64')
    return base64.b64encode(hashlib.sha1(key.encode('ascii') + GUID).digest()).decode()


def unmask(mask: bytes, data: bytes) -> bytes:
    """RFC 6455, 5.3: "octet i of the transformed data is the XOR of octet i of the original data with octet i MOD
    4".
    """
    n = len(data)
    repeated = mask * ((n + 3) // 4)
    return (_int(data, 'little') ^ _int(repeated[:n], 'little')).to_bytes(n, 'little')


def frame(data: bytes, opcode: int) -> bytes:
    """One whole frame; a server's frames are not masked."""
    n = len(data)
    if n < 126:
        return _SHORT_TEXT[n] + data if opcode == TEXT else bytes((0x80 | opcode, n)) + data
    if n < 65536:
        return bytes((0x80 | opcode, 126)) + n.to_bytes(2, 'big') + data
    return bytes((0x80 | opcode, 127)) + n.to_bytes(8, 'big') + data


def close_frame(code: int, reason: str = '') -> bytes:
    """A close frame; the reason is cut to what a control frame holds."""
    text = reason.encode('utf-8', 'replace')[:123].decode('utf-8', 'ignore')
    return frame(code.to_bytes(2, 'big') + text.encode(), CLOSE)


def message_frames(messages: tuple[Message, ...], binary_prefix: bytes) -> bytes:
    """Engine messages to the bytes of their frames: text as text, bytes (after the dialect's prefix) as binary."""
    return b''.join(
        frame(m.encode('utf-8', 'replace'), TEXT) if type(m) is str else frame(binary_prefix + m, BINARY)  # type: ignore[operator]
        for m in messages
    )


def joined(written: list[bytes | tuple[Message, ...]], binary_prefix: bytes) -> bytes:
    """All that leaves in one send: frames as they are, and messages framed."""
    pieces: list[bytes] = []
    for part in written:
        if type(part) is tuple:
            text = part[0]
            if len(part) == 1 and type(text) is str and text.isascii() and len(text) < 126:  # the short road
                pieces += (_SHORT_TEXT[len(text)], text.encode())
            else:
                pieces.append(message_frames(part, binary_prefix))
        else:
            pieces.append(part)  # type: ignore[arg-type]
    return b''.join(pieces)


class Reader:
    """Bytes of a client to messages.

    `feed` never raises: what it could read comes back, and `error` tells why it will read no more. `pings` are payloads
    to answer with pongs; `closed` is the client's close code, or 1005 where it gave none.
    """

    __slots__ = (
        '_ahead',
        '_buffer',
        '_fragments',
        '_fragments_left',
        '_needed',
        '_opcode',
        '_short',
        '_size',
        '_utf8',
        'closed',
        'error',
        'max_fragments',
        'max_payload',
        'pings',
    )

    def __init__(self, max_payload: int, max_fragments: int = 10_000) -> None:
        self.max_payload = max_payload
        self.max_fragments = max_fragments
        #: the second byte of a masked frame that is longer than what the short road takes
        self._short = 0x80 + min(max_payload, 125) + 1
        self.error: RemoteProtocolError | None = None
        self.closed: int | None = None
        self.pings: list[bytes] = []
        self._buffer: bytearray | None = None
        self._needed = 0
        #: the text frame that is not whole yet: what decodes it, and the mask of its next byte
        self._ahead: tuple[codecs.IncrementalDecoder, bytes] | None = None
        self._fragments: bytearray | list[str] | None = None
        self._fragments_left = 0
        self._opcode = 0
        self._size = 0
        self._utf8: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes) -> list[Message]:
        """All messages that `data` completes."""
        messages: list[Message] = []
        if self.error is not None or self.closed is not None:
            return messages
        try:
            if self._buffer is not None:
                data = self._joined(self._buffer, data)
            self._read(data, messages)
        except RemoteProtocolError as e:
            self.error = e
        except UnicodeDecodeError:
            self.error = RemoteProtocolError('text that is not UTF-8', close_code=1007)
        return messages

    def _joined(self, buffer: bytearray, data: bytes) -> bytes:
        """What was kept and what has come, if that is enough to go on with; else nothing."""
        buffer += data
        if len(buffer) >= self._needed:
            self._buffer = self._ahead = None
            return bytes(buffer)
        if self._ahead is not None:
            self._look_ahead(*self._ahead, data)
        return b''

    def _read(self, data: bytes, messages: list[Message]) -> None:
        i, end = 0, len(data)
        short = self._short if self._fragments is None else 0
        while end - i >= 6:
            # The short road: a whole, masked, short text frame.
            second = data[i + 1]
            if data[i] == 0x81 and 128 <= second < short and i + second - 122 <= end:
                start = i + 2
                i += second - 122
                masked = _int(data[start:i], 'little')
                plain = masked ^ (masked & 0xFFFFFFFF) * _REPEATED[second - 128]
                messages.append(plain.to_bytes(_LENGTH[second - 128], 'little')[4 : second - 124].decode())
                continue
            taken = self._any(data, i, messages)
            if not taken:
                break
            i += taken
            if self.closed is not None:
                return
            short = self._short if self._fragments is None else 0
        if i < end:
            self._buffer = bytearray(data[i:])
            if end - i < 6:  # no frame of a client is shorter; what is forbidden is so from the second byte on
                self._needed = 6 if end - i >= 2 else 2
                if end - i >= 2:
                    self._check(data[i], data[i + 1])

    def _check(self, first: int, second: int) -> None:
        opcode = first & 15
        if first & 0x70:
            raise RemoteProtocolError('a reserved bit is set and no extension was agreed on')
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise RemoteProtocolError('a reserved opcode')
        if not second & 0x80:
            raise RemoteProtocolError("a client's frame must be masked")
        if opcode >= CLOSE and (not first & 0x80 or second & 127 > 125):
            raise RemoteProtocolError('a control frame that is fragmented or longer than 125 bytes')
        if opcode == CONTINUATION and self._fragments is None:
            raise RemoteProtocolError('a continuation of nothing')
        if opcode in (TEXT, BINARY) and self._fragments is not None:
            raise RemoteProtocolError('a new message inside a fragmented one')

    def _any(self, data: bytes, i: int, messages: list[Message]) -> int:
        """The frame at `i`, whatever it is; -> its length, or 0 where it is not whole yet."""
        first, second = data[i], data[i + 1]
        self._check(first, second)
        n, head = second & 127, 2
        if n > 125:
            head = 4 if n == 126 else 10
            if len(data) < i + head:
                self._needed = head
                return 0
            n = _int(data[i + 2 : i + head], 'big')
        if first & 15 < CLOSE and n + self._size > self.max_payload:
            raise TooLarge(f'a message of more than {self.max_payload} bytes')
        body = i + head + 4
        if len(data) < body + n:
            self._needed = head + 4 + n if len(data) >= body else head + 4
            if len(data) >= body and (first & 15 or self._opcode) == TEXT:
                self._look_ahead(self._decoder(), data[body - 4 : body], data[body:])
            return 0
        payload = unmask(data[body - 4 : body], data[body : body + n])
        if first & 15 >= CLOSE:
            self._control(first & 15, payload)
        else:
            self._data(first & 15, bool(first & 0x80), payload, messages)
        return head + 4 + n

    def _decoder(self) -> codecs.IncrementalDecoder:
        """One that goes on where the message's last fragment ended."""
        decoder = codecs.getincrementaldecoder('utf-8')()
        if self._utf8 is not None:
            decoder.setstate(self._utf8.getstate())
        return decoder

    def _look_ahead(self, decoder: codecs.IncrementalDecoder, mask: bytes, masked: bytes) -> None:
        """RFC 6455, 8.1: what is not UTF-8 fails the connection; at once, and not when a long frame is whole."""
        decoder.decode(unmask(mask, masked))
        turn = len(masked) % 4
        self._ahead = decoder, mask[turn:] + mask[:turn]

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.pings.append(payload)
        elif opcode == CLOSE:
            self.closed = _close_code(payload)

    def _data(self, opcode: int, final: bool, payload: bytes, messages: list[Message]) -> None:
        if final and self._fragments is None:
            messages.append(payload.decode() if opcode == TEXT else payload)
            return
        if self._fragments is None:
            self._opcode = opcode
            self._fragments = [] if opcode == TEXT else bytearray()
            self._fragments_left = self.max_fragments
            self._utf8 = codecs.getincrementaldecoder('utf-8')() if opcode == TEXT else None
        self._size += len(payload)
        self._fragments_left -= 1
        if self._fragments_left < 0:
            raise TooLarge(f'a message of more than {self.max_fragments} fragments', 'max_fragments')
        if self._utf8 is not None:
            self._fragments.append(self._utf8.decode(payload, final))  # type: ignore[arg-type]
        else:
            self._fragments += payload  # type: ignore[operator]
        if final:
            messages.append(''.join(self._fragments) if self._opcode == TEXT else bytes(self._fragments))  # type: ignore[arg-type]
            self._fragments, self._utf8, self._size = None, None, 0


def _close_code(payload: bytes) -> int:
    """RFC 6455, 7.4: which codes may stand on the wire."""
    if not payload:
        return 1005
    code = _int(payload[:2], 'big')
    if len(payload) == 1 or not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise RemoteProtocolError('an invalid close code')
    payload[2:].decode()
    return code
