"""DTLS 1.2 with pre-shared keys between plain CoAP endpoints, on python-mbedtls (extra `dtls`).

Two ends, each carrying datagrams and knowing nothing of CoAP:

    DtlsClient   inside a Relay leg: the association of one client with one server
    DtlsFront    in front of a plain server: terminates DTLS, one association and one socket behind it per client

    front = DtlsFront(("127.0.0.1", 5684), ("127.0.0.1", server.port), {"node-1": bytes.fromhex("30313233")}, log)
    await front.start()

Cipher suites: PSK with AES-128-CCM-8 (LwM2M TS 1.0.2, 7.1.7, mandatory), then AES-128-CBC-SHA256. Keys and identities
never reach a log or an exception; a failed handshake is told in one sentence without them.

Bounds: a client end keeps 16 datagrams while its handshake runs; a front keeps 256 associations, the oldest goes.
"""

import asyncio
from collections import OrderedDict, deque

from testing.lwm2m.names import key_bytes
from testing.lwm2m.udp import UdpSocket

CIPHERS = ("TLS-PSK-WITH-AES-128-CCM-8", "TLS-PSK-WITH-AES-128-CBC-SHA256")
INSTALL = "DTLS needs python-mbedtls, which is not installed: pip install '.[dtls]', or use NoSec"

_POLL_S = 0.25  # mbedtls keeps the retransmission times; somebody has to ask it whether they are over
_WAITING = 16
_ASSOCIATIONS = 256
_HANDSHAKE = 22  # record type (RFC 6347, 4.1); in epoch 0 it begins a new association
_READ_SIZE = 4096


def library():
    """mbedtls.tls and its error; ImportError with what to do when it is not there."""
    try:
        from mbedtls import exceptions, tls
    except ImportError:
        raise ImportError(INSTALL) from None
    return tls, exceptions.TLSError


def read_keys(path):
    """{identity: key} from a file of lines IDENTITY:HEXKEY; ValueError names a line, never its content."""
    keys = {}
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            identity, colon, key = line.strip().rpartition(":")
            if not line.strip() or line.startswith("#"):
                continue
            try:
                keys[identity] = bytes.fromhex(key)
            except ValueError:
                colon = ""
            if not colon or not identity:
                raise ValueError(f"{path}, line {number}: IDENTITY:HEXKEY expected") from None
    return keys


class _Association:
    """One DTLS association as a machine without sockets: datagrams in, datagrams out."""

    def __init__(self, tls, buffer, transmit, deliver):
        self.tls = tls
        self.buffer = buffer
        self.transmit = transmit
        self.deliver = deliver

    @property
    def established(self):
        return self.buffer._handshake_state is self.tls.HandshakeStep.HANDSHAKE_OVER

    def step(self):
        """Carry the handshake as far as it goes; raises what mbedtls raises when it fails."""
        while not self.established:
            try:
                self.buffer.do_handshake()
            except self.tls.WantReadError:
                self.flush()
                return
            except self.tls.WantWriteError:
                pass
            finally:
                self.flush()

    def flush(self):
        while data := self.buffer.peek_outgoing(_READ_SIZE):
            self.buffer.consume_outgoing(len(data))
            self.transmit(data)

    def send(self, data):
        """One datagram, one record."""
        self.buffer.write(data)
        self.flush()

    def received(self, data):
        self.buffer.receive_from_network(data)
        if not self.established:
            self.step()
            if not self.established:
                return
        try:
            while plain := self.buffer.read(_READ_SIZE):
                self.deliver(plain)
        except self.tls.WantReadError:
            pass
        self.flush()


class DtlsClient:
    """The client end: `send` plain datagrams, feed `received` with what comes from the network."""

    def __init__(self, psk_identity, psk, transmit, deliver, complain, first_timeout_s=1.0, last_timeout_s=4.0):
        self.tls, self.error = library()
        configuration = self.tls.DTLSConfiguration(pre_shared_key=(psk_identity, key_bytes(psk)), ciphers=CIPHERS,
                                                   validate_certificates=False,
                                                   lowest_supported_version=self.tls.DTLSVersion.DTLSv1_2,
                                                   handshake_timeout_min=first_timeout_s, handshake_timeout_max=last_timeout_s)
        try:
            self.context = self.tls.ClientContext(configuration)
        except self.error:
            raise ValueError("DTLS: identity and key must not be empty, nor the key longer than 32 bytes") from None
        self.transmit = transmit
        self.deliver = deliver
        self.complain = complain
        self.handshakes = 0
        self._association = None
        self._waiting = deque(maxlen=_WAITING)
        self._timer = None

    def send(self, data):
        """Send a datagram; the first one starts the handshake and waits for it."""
        if self._association is not None and self._association.established:
            self._association.send(data)
            return
        self._waiting.append(data)
        if self._association is None:
            self.handshakes += 1
            self._association = _Association(self.tls, self.context.wrap_buffers(None), self.transmit, self.deliver)
            self._drive(self._association.step)

    def received(self, data):
        """A datagram from the server."""
        if self._association is not None:
            self._drive(self._association.received, data)

    def renew(self):
        """Forget the association: the next datagram starts a handshake, as a new registration of a module does."""
        self._stop()
        self._association = None

    def close(self):
        """Stop the timers."""
        self.renew()

    def _drive(self, function, *arguments):
        self._stop()
        association = self._association
        was_established = association.established
        try:
            function(*arguments)
        except (self.error, ValueError, OSError) as error:
            self._failed(was_established, error)
            return
        if not association.established:
            self._timer = asyncio.get_running_loop().call_later(_POLL_S, self._drive, association.step)
            return
        while self._waiting:
            association.send(self._waiting.popleft())

    def _failed(self, was_established, error):
        self._association = None
        self._waiting.clear()
        if was_established:
            self.complain("the server ended the DTLS association")
        elif getattr(error, "err", None) == _TIMEOUT:
            self.complain("DTLS: no end of the handshake: nobody there, or identity or key not known to the server")
        else:
            self.complain("DTLS: the server refused the handshake: identity or key not known to it")

    def _stop(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


_TIMEOUT = 0x6800  # MBEDTLS_ERR_SSL_TIMEOUT


class _Peer:
    """One client of the front."""

    def __init__(self, association):
        self.association = association
        self.plain = None
        self.waiting = []


class DtlsFront(asyncio.DatagramProtocol):
    """The server end: listens at `listen`, hands plain datagrams to `target`. `keys` is {identity: key}, live."""

    def __init__(self, listen, target, keys, log=None):
        self.tls, self.error = library()
        self.listen = listen
        self.target = target
        self.keys = keys
        self.log = log
        self.port = None
        self.refused = 0
        self.transport = None
        self._peers = OrderedDict()
        self._tasks = set()
        self._context = None
        self._known = None

    async def start(self):
        """Bind; `port` says where. OSError when it is taken."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=self.listen)
        self.port = self.transport.get_extra_info("sockname")[1]
        return self

    def close(self):
        """Close all sockets."""
        for task in list(self._tasks):
            task.cancel()
        self.forget()
        if self.transport is not None:
            self.transport.close()

    def forget(self):
        """Lose all associations, as a restart does."""
        for peer in self._peers.values():
            if peer.plain is not None:
                peer.plain.transport.close()
        self._peers.clear()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        peer = self._peers.get(addr)
        if peer is None or (peer.association.established and data[:1] == bytes([_HANDSHAKE]) and data[3:5] == b"\0\0"):
            peer = self._new_peer(addr, peer)
        try:
            peer.association.received(data)
        except self.tls.HelloVerifyRequest:
            # the cookie is on its way (RFC 6347, 4.2.1); the client's second hello meets a fresh machine
            peer.association.flush()
            peer.association.buffer = self._buffer(addr)
        except (self.error, ValueError) as error:
            self._refuse(addr, peer, error)

    def error_received(self, exc):
        """A client that has gone is no trouble."""

    def _buffer(self, addr):
        if self._context is None or self._known != self.keys:
            self._known = dict(self.keys)
            configuration = self.tls.DTLSConfiguration(
                pre_shared_key_store={identity: key_bytes(key) for identity, key in self.keys.items()}, ciphers=CIPHERS,
                validate_certificates=False, lowest_supported_version=self.tls.DTLSVersion.DTLSv1_2)
            self._context = self.tls.ServerContext(configuration)
        buffer = self._context.wrap_buffers()
        buffer.setcookieparam(f"{addr[0]}:{addr[1]}".encode())
        return buffer

    def _new_peer(self, addr, old):
        def transmit(data):
            self.transport.sendto(data, addr)

        peer = _Peer(_Association(self.tls, self._buffer(addr), transmit, lambda data: self._plain(addr, data)))
        if old is not None:
            peer.plain = old.plain  # the same client, so the same address behind the front
        self._peers[addr] = peer
        while len(self._peers) > _ASSOCIATIONS:
            _, oldest = self._peers.popitem(last=False)
            if oldest.plain is not None:
                oldest.plain.transport.close()
        return peer

    def _refuse(self, addr, peer, error):
        if peer.association.established:
            return  # one damaged record of a good association is dropped (RFC 6347, 4.1.2.7)
        peer.association.flush()
        self._peers.pop(addr, None)
        self.refused += 1
        if self.log:
            self.log(f"DTLS: {addr[0]}:{addr[1]} refused, its identity or key is not ours")

    def _plain(self, addr, data):
        peer = self._peers[addr]
        if peer.plain is not None:
            peer.plain.transport.sendto(data)
            return
        peer.waiting.append(data)
        if len(peer.waiting) == 1:
            task = asyncio.get_running_loop().create_task(self._open(peer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self, peer):
        def back(data, _):
            if peer.association.established:
                peer.association.send(data)

        loop = asyncio.get_running_loop()
        _, peer.plain = await loop.create_datagram_endpoint(lambda: UdpSocket(back), remote_addr=self.target)
        for data in peer.waiting:
            peer.plain.transport.sendto(data)
        peer.waiting = []
