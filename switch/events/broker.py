"""A broker of our own, for the lab: amqtt on loopback, silent, with the access rules of the house.

Anyone on this machine may read; only the switch may announce, and only named users may send
commands. Production runs Mosquitto with the same rules. amqtt speaks MQTT 3.1.1.
"""

import logging
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any, Final

# amqtt ships no types.
from amqtt.broker import Broker as AmqttBroker  # type: ignore[import-untyped]
from amqtt.contexts import (  # type: ignore[import-untyped]
    Action,
    BaseContext,
    BrokerConfig,
    ListenerConfig,
)
from amqtt.errors import BrokerError  # type: ignore[import-untyped]
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin  # type: ignore[import-untyped]
from amqtt.session import Session  # type: ignore[import-untyped]

from switch.errors import SettingsError
from switch.events.mqtt import Broker
from switch.events.settings import MqttSettings

SWITCH_USER: Final = "kinline"
"""The switch's own name at its broker; the password is new at each start."""


class EmbeddedBroker:
    """Starts and stops with the switch.

    Args:
        settings: port and, in `command_users`, who may send commands.
        passwords: user to password, of the command users.
    """

    def __init__(self, settings: MqttSettings, passwords: Mapping[str, str]) -> None:
        self._password = secrets.token_urlsafe(24)
        self._users = dict(passwords) | {SWITCH_USER: self._password}
        self._port = settings.port or free_port()
        self._broker: AmqttBroker | None = None

    @property
    def address(self) -> Broker:
        """How the switch itself connects."""
        return Broker(
            host="127.0.0.1",
            port=self._port,
            protocol="3.1.1",
            user=SWITCH_USER,
            password=self._password,
        )

    async def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: the port is taken.
        """
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        rules: dict[str, Any] = {"users": self._users}
        self._broker = AmqttBroker(
            BrokerConfig(
                listeners={"default": ListenerConfig(bind=f"127.0.0.1:{self._port}")},
                plugins={
                    "switch.events.broker.KnowUsers": rules,
                    "switch.events.broker.GuardTopics": rules,
                },
            )
        )
        try:
            await self._broker.start()
        except (BrokerError, OSError) as error:
            self._broker = None
            raise SettingsError(
                f"events.mqtt.port: the embedded broker cannot listen on 127.0.0.1:{self._port}"
            ) from error

    async def close(self) -> None:
        """Stop listening."""
        if self._broker is not None:
            await self._broker.shutdown()
            self._broker = None


class KnowUsers(BaseAuthPlugin):  # type: ignore[misc]  # no types
    """Lets in who gives no name, and who gives a name with its password."""

    @dataclass
    class Config:
        """Filled by amqtt."""

        users: dict[str, str] = field(default_factory=dict)

    async def authenticate(self, *, session: Session) -> bool:
        """Say whether this connection may stay."""
        if session.username is None:
            session.is_anonymous = True
            return True
        wanted = self.config.users.get(session.username, "")
        return bool(wanted) and compare_digest(wanted, session.password or "")


class GuardTopics(BaseTopicPlugin):  # type: ignore[misc]  # no types
    """Only the switch announces; only named users command; everybody reads."""

    @dataclass
    class Config:
        """Filled by amqtt."""

        users: dict[str, str] = field(default_factory=dict)

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Say whether this connection may publish or read there."""
        user = (session.username if session else None) or ""
        return may(user, topic or "", is_publish=action == Action.PUBLISH)


def may(user: str, topic: str, *, is_publish: bool) -> bool:
    """The access rules. Whoever has a name here has proved it."""
    if user == SWITCH_USER or not is_publish:
        return True
    return bool(user) and topic.split("/")[3:4] == ["cmd"]


def free_port() -> int:
    """Ask the system for a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
