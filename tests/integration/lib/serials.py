"""A device with a protocol of its own at the end of a pty, for tests.

    line = SerialLine(w.path("port"))     # a link to the pty, as /dev/serial/by-id has them
    line.send(b"ST,+ 12.34kg\r\n")
    line.answer(lambda asked: b"...")     # from now on, to whatever is asked; None: silence
    line.unplug(); line.plug()
"""
import os
import pty
import select
import threading
import tty


class SerialLine:
    def __init__(self, path):
        self.path, self.answerer, self.asked, self.done = path, None, [], False
        self.lock = threading.Lock()
        self.master = self.slave = None
        self.plug()
        threading.Thread(target=self.listen, daemon=True).start()

    def plug(self):
        with self.lock:
            self.master, self.slave = pty.openpty()
            tty.setraw(self.slave)
            os.set_blocking(self.master, False)
            os.symlink(os.ttyname(self.slave), self.path)

    def unplug(self):
        with self.lock:
            os.unlink(self.path)
            os.close(self.master)
            os.close(self.slave)
            self.master = self.slave = None

    def answer(self, answerer):
        self.answerer = answerer

    def send(self, data):
        while data:
            select.select([], [self.master], [], 10)
            data = data[os.write(self.master, data):]

    def listen(self):
        while not self.done:
            with self.lock:
                master = self.master
            try:
                if master is None or not select.select([master], [], [], 0.02)[0]:
                    continue
                asked = os.read(master, 1024)
            except (OSError, ValueError):
                continue
            self.asked.append(asked)
            answer = self.answerer(asked) if self.answerer else None
            if answer:
                self.send(answer)
