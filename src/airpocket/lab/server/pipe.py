"""A wire without a socket: a client in this process, with every manner of the gate and no waiting."""

import asyncio

from airpocket.lab.dialects.speech import Answer, Close, Said
from airpocket.lab.server.wire import Head, Host, Wire


class Pipe(Wire):
    """One websocket of a client in this process: `say` for the client is `heard` for the gate.

    `said` holds texts, and a Close when the venue has hung up.
    """

    def __init__(self, host: Host, target: str) -> None:
        """Args: target: what a request asks for, the venue's host first: /stream.binance.com/ws/…"""
        super().__init__(host)
        self._gate, self._head = host, Head("GET", target, {})
        self.said: asyncio.Queue[Said] = asyncio.Queue()

    def open(self) -> Answer | None:
        """None: come in; else why not."""
        refusal = self._gate.knocked(self, self._head)
        if refusal is None:
            self.is_open = True
            self._gate.came_in(self)
        return refusal

    def tell(self, text: str) -> None:
        """The client says something."""
        if self.is_open:
            self._gate.heard(self, text)

    def leave(self) -> None:
        """The client goes."""
        if self.is_open:
            self.is_open = False
            self._gate.left(self)

    def say(self, said: Said) -> None:
        if isinstance(said, Close):
            self.hang_up(said)
        elif self.is_open:
            self.said.put_nowait(said)

    def ping(self) -> None:
        if self.is_open:
            self._gate.ponged(self)

    def hang_up(self, close: Close) -> None:
        if self.is_open:
            self.said.put_nowait(close)
            self.leave()
