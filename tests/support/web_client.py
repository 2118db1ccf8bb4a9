"""A browser of thirty lines for a switch on a port of this machine: cookies, forms, no scripts."""

import http.client
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class WebAnswer:
    status: int
    location: str
    text: str

    @property
    def csrf(self) -> str:
        return self.text.split('name="csrf" value="')[1].split('"')[0]


class WebClient:
    """Blocks; ask it in a thread."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._at = urlsplit(origin)
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> WebAnswer:
        return self._ask("GET", path, None)

    def post(self, path: str, form: dict[str, str]) -> WebAnswer:
        return self._ask("POST", path, urlencode(form).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> WebAnswer:
        link = http.client.HTTPConnection(self._at.hostname or "", self._at.port, timeout=20)
        headers = {"origin": self._origin}
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        try:
            link.request(method, path, body=body, headers=headers)
            answer = link.getresponse()
            for line in answer.headers.get_all("set-cookie") or []:
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            text = answer.read().decode("utf-8", "replace")
            return WebAnswer(answer.status, answer.headers.get("location", ""), text)
        finally:
            link.close()
