"""Messages through apprise: needs the extra [alerts]. Addresses hold secrets: none is ever printed."""

import apprise

from airpocket.delivery.alerts.rules import Service
from airpocket.domain.errors import BadInput


class AppriseNotifier:
    """One apprise object for each service."""

    def __init__(self, services: tuple[Service, ...]) -> None:
        """
        Raises:
            BadInput: an address that apprise does not understand; names the service only.
        """
        self._of: dict[str, apprise.Apprise] = {}
        for service in services:
            found = apprise.Apprise()
            if not found.add(service.url):  # pyright: ignore[reportUnknownMemberType]
                raise BadInput(f"service {service.name}: its address is none that apprise knows")
            self._of[service.name] = found

    async def send(self, service: Service, title: str, body: str) -> bool:
        """Send plain text."""
        sender = self._of[service.name]
        return bool(
            await sender.async_notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        )
