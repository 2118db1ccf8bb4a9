"""Which call a SIP dialog belongs to."""

from collections.abc import Callable

from switch.sip.events import DialogId, Event

Listener = Callable[[Event], None]


class DialogBook:
    """Finds who listens to a dialog. An event that ends the dialog ends the entry."""

    def __init__(self) -> None:
        self._listeners: dict[DialogId, Listener] = {}

    def __len__(self) -> int:
        return len(self._listeners)

    def bind(self, dialog: DialogId, listener: Listener) -> None:
        """From here events of this dialog go to `listener`."""
        self._listeners[dialog] = listener

    def forget(self, dialog: DialogId | None) -> None:
        """Nobody listens to this dialog any more."""
        if dialog is not None:
            self._listeners.pop(dialog, None)

    def tell(self, dialog: DialogId, event: Event) -> bool:
        """Hand an event on; False if nobody listens."""
        listener = self._listeners.get(dialog)
        if listener is None:
            return False
        listener(event)
        return True
