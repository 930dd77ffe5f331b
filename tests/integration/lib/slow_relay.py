"""A TCP relay as slow as a network: what comes is passed on `delay` seconds later, each way.

    relay = SlowRelay(target_port, 0.001)
    relay.port
"""
import queue
import socket
import threading
import time


class SlowRelay:
    def __init__(self, target, delay):
        self.target, self.delay = target, delay
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.server.accept()
            far = socket.create_connection(("127.0.0.1", self.target))
            for a, b in (near, far), (far, near):
                a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line = queue.SimpleQueue()
                threading.Thread(target=self.take, args=(a, line), daemon=True).start()
                threading.Thread(target=self.give, args=(b, line), daemon=True).start()

    def take(self, source, line):
        try:
            while data := source.recv(65536):
                line.put((time.monotonic() + self.delay, data))
        except OSError:
            pass
        line.put((0, b""))

    def give(self, sink, line):
        try:
            while True:
                due, data = line.get()
                if not data:
                    break
                time.sleep(max(0, due - time.monotonic()))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
