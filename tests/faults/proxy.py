"""A TCP proxy on loopback whose wire can be cut: nothing passes then, and nobody is told, as with a pulled cable."""

import socket
import threading
from contextlib import suppress

from simulations.real_federation import free_port

PIECE = 65536
LOOK = 0.2  # seconds between two looks whether the wire is whole again


class Proxy:
    """Passes bytes between its own port and another one, until it is closed."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._whole, self._open = threading.Event(), True
        self._whole.set()
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._welcome, daemon=True).start()

    def cut(self, seconds: float) -> None:
        """Cut the wire; it is whole again by itself."""
        self._whole.clear()
        threading.Timer(seconds, self._whole.set).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._open = False
        self._door.shutdown(socket.SHUT_RDWR)  # which wakes who waits at it
        self._door.close()

    def _welcome(self) -> None:
        while self._open:
            with suppress(OSError):
                threading.Thread(target=self._carry, args=(self._door.accept()[0],), daemon=True).start()

    def _carry(self, inner: socket.socket) -> None:
        """Both ways of one connection."""
        with suppress(OSError), inner, socket.create_connection(("127.0.0.1", self._target)) as outer:
            back = threading.Thread(target=self._pass, args=(outer, inner), daemon=True)
            back.start()
            self._pass(inner, outer)
            back.join()

    def _pass(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while piece := here.recv(PIECE):
                while not self._whole.wait(LOOK):
                    pass
                there.sendall(piece)
        with suppress(OSError):
            there.shutdown(socket.SHUT_WR)
