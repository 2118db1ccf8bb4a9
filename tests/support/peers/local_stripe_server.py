"""Our own Stripe on a port of this machine: the adapter's interface, and a page to pay on."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.support.peers.local_stripe import LocalStripe

PAGE = (
    b"<!doctype html><title>Card</title><link rel=icon href=data:,>"
    b"<form id=pay method=post><button>Pay</button></form>"
)


@contextmanager
def stripe_server(stripe: LocalStripe) -> Iterator[str]:
    """Serve; yield where."""

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if self.path.startswith("/pay/"):
                self.pay(self.path.removeprefix("/pay/"))
                return
            length = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            try:
                status, said = stripe(self.command, self.path, headers, body)
            except TimeoutError:
                return  # the answer is lost: the connection ends without one
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def pay(self, session: str) -> None:
            """The hosted page: one button, then back to where the merchant said."""
            if self.command == "GET":
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(PAGE)
                return
            stripe.pay(session)
            stripe.on_paid()
            self.send_response(303)
            self.send_header("location", stripe.objects[session]["success_url"])
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
