"""What a notice says, as a mail. Pure.

Plain text, one matter, no link: a link in an unasked mail is what people are told not to press.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from switch.money import dollars_text
from switch.store.outbox_store import Notice

ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,253}")
"""An address for mail, as far as it must be right before a server judges it. RFC 5321 limits."""

AMOUNTS: Final = frozenset({"amount"})
"""What of a notice is an amount, in micros."""

_SUBJECT: Final = {
    "privileged_removed": "Your number is no longer registered as privileged",
    "privileged_cut": "Staff ended a privileged call with your number",
    "deposit": "Your deposit has arrived",
    "deposit_returned": "Your deposit goes back to your card",
    "reload_stopped": "Automatic payments have stopped",
    "refund_by_hand": "Your card could not take the money back",
    "dispute_opened": "A payment of yours is disputed",
    "dispute_won": "The disputed payment stands",
    "dispute_lost": "The disputed payment was taken back",
    "claim_asked": "We have your request about a call",
    "claim_second": "A second person looks at your request",
    "claim_granted": "Your request about a call was granted",
    "claim_denied": "Your request about a call was not granted",
    "claim_appealed": "We have your appeal",
    "claim_closed": "Your appeal was not granted",
    "invoice_due": "Your invoice is due",
    "invoice_late": "Your invoice is late",
    "invoice_suspended": "Calls at your cost have stopped: an invoice is not paid",
    "invoice_converted": "Your account pays beforehand now",
    "invoice_relieved": "Calls at your cost go on",
    "collect_bounced": "Calls at your cost have stopped: a bill was not paid",
    "address_added": "Your telephone account has another address",
    "idle": "Your telephone account lies idle",
    "idle_returned": "The money of your idle telephone account comes back to you",
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
    "deposit": (
        "{amount} dollars were paid into telephone account {account}. No fee was taken.\n\n"
        "Receipt: {receipt}\n"
    ),
    "deposit_returned": (
        "Telephone account {account} was closed before your {amount} dollars arrived. They go back"
        " to the card that they came from, without a fee.\n\nReceipt: {receipt}\n"
    ),
    "address_added": (
        "The address {number} was added to telephone account {account}. Whoever reads what goes"
        " there can sign in, too.\n\n"
        "If this was not you, sign in, remove that address, and sign out on every device.\n"
    ),
    "reload_stopped": (
        "The automatic payments into telephone account {account} have stopped: {fault}.\n"
        "Nothing more is charged until you turn them on again. Calls go on while there is money on"
        " the account.\n"
    ),
    "refund_by_hand": (
        "The card that {amount} dollars came from cannot take them back. They are paid to you by"
        " cheque or transfer instead. Please tell us where to, if you have moved.\n"
    ),
    "dispute_opened": (
        "The holder of the card disputes a payment of {amount} dollars into telephone account"
        " {account}. What is left of it is set aside until the card's bank has decided; automatic"
        " payments have stopped.\n\nReceipt: {receipt}\n"
    ),
    "dispute_won": (
        "The card's bank has decided: the payment stands, and what was set aside on telephone"
        " account {account} can be used again.\n\nReceipt: {receipt}\n"
    ),
    "dispute_lost": (
        "The card's bank has taken the disputed payment back from telephone account {account}."
        "\n\nReceipt: {receipt}\n"
    ),
    "claim_asked": (
        "You asked for {amount} dollars of call {call} back. It is request {claim}. Somebody"
        " decides within five days; if nobody does, you are paid.\n\nWhat was said: {note}\n"
    ),
    "claim_second": (
        "One person has granted your request {claim} about call {call} ({amount} dollars). Above a"
        " certain amount a second one must agree; if nobody decides within five days, you are"
        " paid.\n\nWhat was said: {note}\n"
    ),
    "claim_granted": (
        "Your request {claim} about call {call} was granted: {amount} dollars are back on telephone"
        " account {account}, or on their way to you if it is closed.\n\nWhat was said: {note}\n"
    ),
    "claim_denied": (
        "Your request {claim} about call {call} ({amount} dollars) was not granted.\n\n"
        "What was said: {note}\n\nYou may appeal; another person decides then.\n"
    ),
    "claim_appealed": (
        "We have your appeal about request {claim}, call {call} ({amount} dollars). Another person"
        " decides within five days; if nobody does, you are paid.\n\nWhat was said: {note}\n"
    ),
    "claim_closed": (
        "Another person has looked at your request {claim} about call {call} ({amount} dollars) and"
        " has not granted it either.\n\nWhat was said: {note}\n"
    ),
    "invoice_due": (
        "Invoice {invoice} of telephone account {account} is due. {amount} dollars are not paid"
        " yet.\n"
    ),
    "invoice_late": (
        "Invoice {invoice} of telephone account {account} is late. {amount} dollars are not paid."
        " Three weeks after the day it was due, the account pays for no new call.\n"
    ),
    "invoice_suspended": (
        "Invoice {invoice} of telephone account {account} is three weeks late: {amount} dollars."
        " The account pays for no new call until they are paid.\n"
    ),
    "invoice_converted": (
        "Invoice {invoice} of telephone account {account} is six weeks late: {amount} dollars. The"
        " account has become one that pays beforehand. What is owed is still asked for.\n"
    ),
    "invoice_relieved": (
        "Your payment has come. Telephone account {account} pays for calls again.\n"
    ),
    "collect_bounced": (
        "The bill {invoice} for calls that you accepted came back unpaid: {amount} dollars."
        " No further call is billed to your line. You may open an account that pays beforehand;"
        " opening it costs nothing.\n\nWhat was said: {note}\n"
    ),
    "idle": (
        "Telephone account {account} with {amount} dollars has not been used for a long time.\n"
        "If nothing happens, the money is paid back to where it came from, without a fee. A call,"
        " a deposit or a sign-in keeps the account as it is.\n"
    ),
    "idle_returned": (
        "Telephone account {account} was not used for a long time. Its {amount} dollars are paid"
        " back to where they came from, without a fee. The account can still be used.\n"
    ),
}


def mail_of(notice: Notice, *, sender: str, node: str) -> EmailMessage | None:
    """Write the mail of a notice; None if this kind has no text.

    Its Message-ID is made of the notice, so that one that is sent twice is known as one.
    """
    text = text_of(notice)
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
    mail.set_content(text)
    return mail


def text_of(notice: Notice) -> str | None:
    """Write what a notice says; None if this kind has no text."""
    text = _TEXT.get(notice.kind)
    return None if text is None else text.format_map(_Said(_in_dollars(notice.body)))


def _in_dollars(body: Mapping[str, Any]) -> dict[str, Any]:
    """A notice carries micros; a mail says dollars."""
    amounts = {name: dollars_text(int(body[name])) for name in AMOUNTS & body.keys()}
    return {**body, **amounts}


class _Said(dict[str, Any]):
    """What a notice says; what it does not say is a dash."""

    def __missing__(self, key: str) -> str:
        return "-"
