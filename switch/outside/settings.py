"""Settings of what we ask of others."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class MailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[outside.mail]`: who carries our mail. Without a host, notices wait."""

    host: Annotated[str, Meta(max_length=253)] = ""
    """The mail server; '' sends nothing, and `kinline outbox list` shows what waits."""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` speaks in the clear, so only to this machine."""
    user: Annotated[str, Meta(max_length=200)] = ""
    password_file: Annotated[str, Meta(max_length=200)] = ""
    ca_file: Annotated[str, Meta(max_length=200)] = ""
    """Certificate authority of the server; '' trusts those of the system."""
    sender: Annotated[str, Meta(max_length=320)] = ""
    """The address that our mail comes from."""
    timeout_s: Annotated[int, Meta(ge=1, le=120)] = 20
    tries_max: Annotated[int, Meta(ge=1, le=30)] = 12
    """Then a notice counts as failed. Chosen: with the back-off of the sender, about two days."""

    def __post_init__(self) -> None:
        """Refuse what would fail later."""
        if not self.host:
            return
        if "@" not in self.sender:
            raise ValueError("sender must be an address: mail that comes from nobody is refused")
        is_here = self.host in {"localhost", "::1"} or self.host.startswith("127.")
        if self.security == "none" and not is_here:
            raise ValueError("security none is only for a mail server on this machine")
        if self.user and not self.password_file:
            raise ValueError("password_file is needed with user")


class SmsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[outside.sms]`: who carries short messages. Without a url, they wait."""

    url: Annotated[str, Meta(max_length=300)] = ""
    """Where one message is posted to; '' sends none."""
    token_file: Annotated[str, Meta(max_length=200)] = ""
    """The file with the gateway's bearer token."""
    sender: Annotated[str, Meta(max_length=20)] = ""
    """The number or name that messages come from."""
    timeout_s: Annotated[int, Meta(ge=1, le=60)] = 10
    tries_max: Annotated[int, Meta(ge=1, le=30)] = 6
    """Then a notice counts as failed. Chosen: an hour."""

    def __post_init__(self) -> None:
        """Refuse what would fail later."""
        if not self.url:
            return
        here = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
        if not self.url.startswith(("https://", *here)):
            raise ValueError("url is https:// (http only on this machine)")
        if not self.token_file or not self.sender:
            raise ValueError("token_file and sender are needed with url")


class StripeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[outside.stripe]`: money by card. Without a key, there is none."""

    secret_key_file: Annotated[str, Meta(max_length=200)] = ""
    """The file with the secret key (`sk_…`); '' takes no cards."""
    webhook_secret_file: Annotated[str, Meta(max_length=200)] = ""
    """The file with the signing secret of the endpoint `/hooks/stripe` (`whsec_…`)."""
    api_base: Annotated[str, Meta(max_length=200)] = "https://api.stripe.com"
    timeout_s: Annotated[int, Meta(ge=1, le=120)] = 30

    def __post_init__(self) -> None:
        """Refuse what would fail later."""
        if bool(self.secret_key_file) != bool(self.webhook_secret_file):
            raise ValueError("secret_key_file and webhook_secret_file belong together")
        here = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
        if not self.api_base.startswith(("https://", *here)) or self.api_base.count("/") != 2:
            raise ValueError("api_base is https:// and a host (http only on this machine)")


class OutsideSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[outside]`."""

    lines_file: Annotated[str, Meta(max_length=200)] = ""
    """Line information from a file, relative to the folder of the configuration; '' is none."""
    spoken_codes: bool = False
    """Codes for sign-ins may be spoken by telephone: the switch calls the number on its trunks.
    Off unless the operator says so: whoever reaches our pages can have a telephone rung, within
    the limits of codes."""
    mail: MailSettings = MailSettings()
    sms: SmsSettings = SmsSettings()
    stripe: StripeSettings = StripeSettings()
