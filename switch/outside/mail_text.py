"""What a notice says, as a mail. Pure.

Plain text, one matter, no link: a link in an unasked mail is what people are told not to press.
"""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from switch.store.outbox_store import Notice

ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,253}")
"""An address for mail, as far as it must be right before a server judges it. RFC 5321 limits."""

_SUBJECT: Final = {
    "privileged_removed": "Your number is no longer registered as privileged",
    "privileged_cut": "Staff ended a privileged call with your number",
}
_TEXT: Final = {
    "privileged_removed": (
        "The telephone number {number} was taken out of the register of privileged numbers.\n"
        "From the next call on, calls to it are ordinary calls: they may be recorded and listened"
        " to.\n\n"
        "The reason that was given: {note}\n\n"
        "If this is a mistake, tell the facility before the next call.\n"
    ),
    "privileged_cut": (
        "Staff of {facility} ended a privileged call with the telephone number {number}.\n"
        "The call was not recorded, and nobody listened to it. The number is not blocked: the"
        " person may call again.\n\n"
        "The reason that was given: {note}\n"
    ),
}


def mail_of(notice: Notice, *, sender: str, node: str) -> EmailMessage | None:
    """Write the mail of a notice; None if this kind has no text.

    Its Message-ID is made of the notice, so that one that is sent twice is known as one.
    """
    text = _TEXT.get(notice.kind)
    if text is None:
        return None
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = notice.recipient
    mail["Subject"] = _SUBJECT[notice.kind]
    mail["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
    mail["Message-ID"] = (
        f"<notice-{notice.id}.{round(notice.at)}.{node}@{sender.rpartition('@')[2]}>"
    )
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
    mail.set_content(text.format_map(_Said(notice.body)))
    return mail


class _Said(dict[str, Any]):
    """What a notice says; what it does not say is a dash."""

    def __missing__(self, key: str) -> str:
        return "-"
