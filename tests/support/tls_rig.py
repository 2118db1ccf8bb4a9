"""A switch with a TLS socket, and if wanted a trunk over TLS; for `SwitchRig`."""

from pathlib import Path

from tests.support.certificates import Authority
from tests.support.switch_rig import SwitchRig, free_port

CARRIER = "carrier.example"


class TlsRig(SwitchRig):
    """The switch of `SwitchRig` with certificates.

    Args:
        folder: an empty folder.
        trunk_srtp: of a trunk over TLS; '' leaves it on UDP.
        terminal_srtp: of terminal T1.
        more: more tables.
    """

    def __init__(
        self, folder: Path, *, trunk_srtp: str = "", terminal_srtp: str = "allowed", more: str = ""
    ) -> None:
        self.authority = Authority()
        self.tls_port = free_port()
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        self.authority.write(data / "authorities.pem")
        self.authority.issue(data, "ip:127.0.0.1", "dns:127.0.0.1", common="127.0.0.1")
        self._srtp = trunk_srtp, terminal_srtp
        super().__init__(folder, more=more, edit=self._with_tls)

    @property
    def host(self) -> str:
        """Host and port of the TLS socket."""
        return f"127.0.0.1:{self.tls_port}"

    def password(self, terminal: str) -> str:
        """Return a terminal's password."""
        return (self.data / "keys" / f"terminal-{terminal}.password").read_text().strip()

    def _with_tls(self, text: str) -> str:
        trunk, terminal = self._srtp
        table = 'certificate = "tls.crt"\nkey = "tls.key"\nauthorities = "authorities.pem"\n'
        text = text.replace("listen = [", f'listen = ["tls:127.0.0.1:{self.tls_port}", ')
        text = text.replace("\n[sip]\n", f"\n[transport.tls]\n{table}\n[sip]\n")
        text = text.replace('id = "T1",', f'id = "T1", srtp = "{terminal}",')
        if trunk:
            row = f'id = "trunk"\ntransport = "tls"\ndomain = "{CARRIER}"\nsrtp = "{trunk}"'
            text = text.replace('id = "trunk"', row)
        return text
