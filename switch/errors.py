"""Errors by whose fault they are. A business rule's no is a value, never one of these."""


class KinlineError(Exception):
    """Everything that Kinline raises on purpose."""


class LocalError(KinlineError):
    """Our own code drove another room somewhere it does not go."""


class PeerError(KinlineError):
    """A peer broke the protocol in a message that must be answered.

    Args:
        status: the SIP status to answer with.
        reason: what is wrong, for the reason phrase and the counter.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class StoreError(KinlineError):
    """The database could not do what we asked; says what we were doing."""


class ConnectionLostError(StoreError):
    """The connection broke in the middle of a deed: nobody knows whether it counts."""


class SettingsError(KinlineError):
    """A configuration is wrong; says the path, the line and what is allowed."""


class UserError(KinlineError):
    """A command cannot be carried out as given; says what to do instead."""
