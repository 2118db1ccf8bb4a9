"""Everything that goes out to people: mail, short messages, and the codes that prove addresses."""

from collections.abc import Coroutine
from typing import Any

from switch.outside.codes import CodeDesk, Speaker
from switch.outside.mail import MailSender
from switch.outside.settings import OutsideSettings
from switch.outside.sms import SmsGate
from switch.store.engine import Store
from switch.store.house_keys import HouseKeys
from switch.store.payer_notice import NoticeCarrier
from switch.store.vault import Vault


class PostRoom:
    """Builds what is configured; the rest waits in the outbox.

    Args:
        settings: table `[outside]`.
        store: where the outbox is.
        vault: where notices to payers are written.
        node: our name, for the Message-ID.
        speaker: calls telephones to speak codes; None speaks none.

    Raises:
        SettingsError: a secret cannot be read.
    """

    def __init__(
        self,
        settings: OutsideSettings,
        *,
        store: Store,
        vault: Vault,
        node: str,
        speaker: Speaker | None = None,
    ) -> None:
        self._carrier = NoticeCarrier(vault, store)
        way = "mail" if settings.sms.url else "any"
        self._mail = (
            MailSender(settings.mail, store=store, clock=store.clock, node=node, way=way)
            if settings.mail.host
            else None
        )
        self._sms = SmsGate(settings.sms, store=store) if settings.sms.url else None
        key = HouseKeys(store.path.parent).contact_key()
        self.codes = CodeDesk(vault, key=key, mails=self._mail, messages=self._sms, speaker=speaker)

    def works(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what goes on until the end, by name."""
        found = {"notices": self._carrier.run(), "codes": self.codes.run()}
        found |= {"mail": self._mail.run()} if self._mail is not None else {}
        found |= {"sms": self._sms.run()} if self._sms is not None else {}
        return found
