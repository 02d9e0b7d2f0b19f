"""An SMTP server that takes whatever it is given: enough of one to see what we send."""

import base64
import socketserver
import threading
from types import TracebackType


class Sink(socketserver.ThreadingTCPServer):
    """Listens on a free port; `mails` are the messages as they came, `recipients` and `logins` what stood around them."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, extensions: tuple[str, ...] = ("8BITMIME", "AUTH PLAIN"), refusing: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.extensions, self.refusing = extensions, refusing
        self.mails: list[bytes] = []
        self.recipients: list[str] = []
        self.logins: list[tuple[str, str]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> "Sink":
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Talk(socketserver.StreamRequestHandler):
    server: Sink

    def handle(self) -> None:
        self.say("220 sink")
        while line := self.rfile.readline():
            word, _, rest = line.decode().strip().partition(" ")
            if word.upper() == "EHLO":
                for extension in self.server.extensions:
                    self.say(f"250-{extension}")
                self.say("250 sink")
            elif word.upper() == "AUTH":
                _, name, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                self.server.logins.append((name, password))
                self.say("235 welcome")
            elif word.upper() == "RCPT":
                if self.server.refusing:
                    self.say("451 not now")
                else:
                    self.server.recipients.append(rest)
                    self.say("250 ok")
            elif word.upper() == "DATA":
                self.say("354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part.removeprefix(b".") if part.startswith(b"..") else part)
                self.server.mails.append(b"".join(lines))
                self.say("250 ok")
            elif word.upper() == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
