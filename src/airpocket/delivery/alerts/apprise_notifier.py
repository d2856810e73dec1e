"""Messages through apprise: needs the extra [alerts]. Addresses hold secrets: none is ever printed."""

import logging
import os

import apprise

from airpocket.delivery.alerts.door import check_host, passage
from airpocket.delivery.alerts.rules import Service
from airpocket.domain.errors import BadInput
from airpocket.ingest.resolve import LookUp, system_look_up


class AppriseNotifier:
    """One apprise object for each service; unless it is `private`, encrypted and to public addresses only."""

    def __init__(self, services: tuple[Service, ...], look_up: LookUp = system_look_up) -> None:
        """
        Raises:
            BadInput: an address that apprise does not understand, or one that may not be called; names the
                service only.
        """
        # what goes through a proxy can't be checked by the address it reaches
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it names hosts and topics
        asset = apprise.AppriseAsset(http_redirects=False)
        self._of: dict[str, apprise.Apprise] = {}
        for service in services:
            found = apprise.Apprise(asset=asset)
            known = found.add(service.url)  # pyright: ignore[reportUnknownMemberType]
            if not known or len(found) != 1:
                raise BadInput(
                    f"service {service.name}: its address is none that apprise knows, or more than one"
                )
            _check(service, found[0], look_up)
            self._of[service.name] = found

    async def send(self, service: Service, title: str, body: str) -> bool:
        """Send plain text.

        Raises:
            NotPublic: the address leads where it may not.
        """
        sender = self._of[service.name]
        with passage(private=service.private) as way:
            taken = await sender.async_notify(
                title=title, body=body, body_format=apprise.NotifyFormat.TEXT
            )
        if way.refused:
            raise PermissionError(way.refused)
        return bool(taken)


def _check(service: Service, found: apprise.NotifyBase, look_up: LookUp) -> None:
    name = f"service {service.name}"
    if found.redirects:
        raise BadInput(f"{name}: redirects are not followed; take redirect out of its address")
    if service.private:
        return
    if not _encrypted(service.url, found):
        raise BadInput(
            f"{name}: is called without encryption; apprise has a kind of address with TLS for most services "
            "(jsons, ntfys, mailtos, …), or write private = true beside it"
        )
    for host in _hosts(found):
        check_host(name, host, look_up)


def _encrypted(url: str, found: apprise.NotifyBase) -> bool:
    """By the kind of address; https addresses that apprise knows are of services that have no other."""
    kind = url.strip().partition("://")[0].lower()
    safe = found.secure_protocol or ()
    return kind == "https" or kind in ((safe,) if isinstance(safe, str) else safe)


def _hosts(found: apprise.NotifyBase) -> list[str]:
    """Hosts that the user named: not the part of a service's own address that apprise calls so."""
    named = getattr(found, "smtp_host", None)
    own = all("{host}" in template for template in found.templates)
    given = [found.host if own and not named else None, named]
    return [each for each in given if isinstance(each, str) and each]
