# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's configuration (0.25): who is told of what, how, how often, and what isn't worth telling.

Secrets are never part of it: it names files, which lie beside it with mode 0600.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .model import CRITICAL, DEVOPS, SEVERITIES, WARNING, Alert, MonitoringError, duration

KINDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "webhook": (frozenset({"url"}), frozenset({"token_file", "ca_file"})),
    "mail": (frozenset(), frozenset({"to"})),
    "slack": (frozenset({"url_file"}), frozenset({"channel"})),
    "pagerduty": (frozenset({"key_file"}), frozenset({"url"})),
}
"""Kinds of receivers: the keys that each must have, and those that it may have."""

_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
_SLACK_TEXT = "{{ range .Alerts }}{{ .Annotations.description }} {{ .Annotations.runbook_url }}\n{{ end }}"
_LISTED_ALONE = {"follow_redirects": False}
_MAIL_KEYS = {"smarthost", "from", "username", "password_file", "require_tls", "hello"}
_TIMING: dict[str, tuple[int, int, int]] = {CRITICAL: (0, 30, 3600), WARNING: (60, 300, 43200)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told, and how.

    Attributes:
        contacts: mail address by contact. One without receivers is told by mail where `mail` has a smarthost, else not.
        receivers: by contact, what it is told by; `KINDS` lists their keys.
        regions: by region, other contacts in a contact's place: {eu-west-1: {devops: devops-eu}}.
        mail: smarthost (host:port), from, username, password_file, require_tls (True), hello.
        timing: by severity, seconds that a group waits for more, between two messages on changes, and until it is
            told again unchanged.
    """

    contacts: Mapping[str, str]
    receivers: Mapping[str, tuple[Mapping[str, Any], ...]]
    regions: Mapping[str, Mapping[str, str]]
    mail: Mapping[str, Any]
    timing: Mapping[str, tuple[int, int, int]]

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Notify:
        """Of plain data. Raises MonitoringError with every reason."""
        found = cls(
            contacts=dict(given.get("contacts") or {}),
            receivers={name: tuple(items) for name, items in (given.get("receivers") or {}).items()},
            regions=dict(given.get("regions") or {}),
            mail=dict(given.get("mail") or {}),
            timing={**_TIMING, **{name: tuple(times) for name, times in (given.get("timing") or {}).items()}},
        )
        problems = [*found._unknown_contacts(), *found._bad_receivers(), *found._bad_rest()]
        if problems:
            raise MonitoringError("; ".join(problems))
        return found

    def _unknown_contacts(self) -> Iterable[str]:
        if DEVOPS not in self.contacts:
            yield f"contacts: {DEVOPS} is wanted, since everything without another contact goes there"
        names = {*self.contacts, *self.regions}  # they stand in matchers
        strange = [name for name in sorted(names) if not _NAME.match(name)]
        yield from (f"{name} is no name of small letters, digits and -" for name in strange)
        named = [("receivers", name) for name in self.receivers]
        named += [(f"regions.{region}", name) for region, by in self.regions.items() for name in (*by, *by.values())]
        yield from (f"{place}: {name} is no contact" for place, name in named if name not in self.contacts)

    def _bad_receivers(self) -> Iterable[str]:
        for name, items in self.receivers.items():
            for place, item in enumerate(items):
                where, kind = f"receivers.{name}[{place}]", item.get("kind")
                if kind not in KINDS:
                    yield f"{where}: kind is one of {', '.join(KINDS)}"
                    continue
                needed, allowed = KINDS[kind]
                keys = set(item) - {"kind"}
                yield from (f"{where}: {key} is wanted" for key in sorted(needed - keys))
                yield from (f"{where}: {key} isn't for {kind}" for key in sorted(keys - needed - allowed))
                if kind == "mail" and not self.mail.get("smarthost"):
                    yield f"{where}: mail.smarthost is wanted"

    def _bad_rest(self) -> Iterable[str]:
        yield from (f"mail: {key} is no setting" for key in sorted(set(self.mail) - _MAIL_KEYS))
        if self.mail and not (self.mail.get("smarthost") and self.mail.get("from")):
            yield "mail: smarthost and from are wanted"
        for severity, times in self.timing.items():
            if severity not in SEVERITIES:
                yield f"timing: {severity} is no severity"
            elif len(times) != 3 or not all(map(_whole, times)) or times[0] < 0 or min(times[1:]) < 1:
                yield f"timing.{severity}: three whole numbers of seconds are wanted, the last two above 0"

    def channels(self, contact: str) -> tuple[Mapping[str, Any], ...]:
        """What a contact is told by."""
        by_mail: tuple[Mapping[str, Any], ...] = ({"kind": "mail"},) if self.mail and self.contacts[contact] else ()
        return self.receivers.get(contact, by_mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """`data` is the file; `secrets` are files of the control host by the name that they have in the folder."""

    data: dict[str, Any]
    secrets: dict[str, str]


def configuration(notify: Notify, alerts: Iterable[Alert], folder: str) -> Configuration:
    """The configuration; `folder` is where Alertmanager finds the secrets."""
    build = _Build(notify, folder)
    receivers = [build.receiver(contact) for contact in sorted(notify.contacts)]
    data: dict[str, Any] = {
        **build.smtp(),
        "route": {
            "receiver": DEVOPS,
            "group_by": ["alertname", "region"],
            **_times(notify.timing[WARNING]),
            "routes": [_route(notify, contact) for contact in sorted(notify.contacts)],
        },
        "receivers": receivers,
        "inhibit_rules": _inhibitions(alerts),
    }
    return Configuration(data=data, secrets=build.secrets)


def _whole(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def _times(times: tuple[int, int, int]) -> dict[str, str]:
    wait, interval, again = times
    return {
        "group_wait": duration(wait) if wait else "0s",
        "group_interval": duration(interval),
        "repeat_interval": duration(again),
    }


def _route(notify: Notify, contact: str) -> dict[str, Any]:
    """The alerts of a contact: of regions with another one first, then by severity."""
    elsewhere = [
        {
            "matchers": [f'region="{region}"'],
            "receiver": others[contact],
            "routes": _by_severity(notify),
        }
        for region, others in sorted(notify.regions.items())
        if contact in others
    ]
    return {
        "matchers": [f'contacts=~"(.*,)?{contact}(,.*)?"'],
        "receiver": contact,
        "continue": True,
        "routes": [*elsewhere, *_by_severity(notify)],
    }


def _by_severity(notify: Notify) -> list[dict[str, Any]]:
    return [{"matchers": [f'severity="{severity}"'], **_times(notify.timing[severity])} for severity in SEVERITIES]


def _inhibitions(alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """For every alert what follows from it, in the same region."""
    following: dict[str, set[str]] = {}
    for alert in alerts:
        for cause in alert.follows:
            following.setdefault(cause, set()).add(alert.name)
    return [
        {
            "source_matchers": [f'alertname="{cause}"'],
            "target_matchers": [f'alertname=~"{"|".join(sorted(names))}"'],
            "equal": ["region"],
        }
        for cause, names in sorted(following.items())
    ]


class _Build:
    """Receivers, and the secrets that they name."""

    def __init__(self, notify: Notify, folder: str) -> None:
        self._notify, self._folder = notify, folder.rstrip("/")
        self.secrets: dict[str, str] = {}

    def _secret(self, name: str, source: str) -> str:
        self.secrets[name] = source
        return f"{self._folder}/{name}"

    def smtp(self) -> dict[str, Any]:
        """Section `global`, where mail is sent."""
        mail = self._notify.mail
        if not mail:
            return {}
        found = {"smtp_smarthost": mail["smarthost"], "smtp_from": mail["from"],
                 "smtp_require_tls": mail.get("require_tls", True)}  # fmt: skip
        if mail.get("hello"):
            found["smtp_hello"] = mail["hello"]
        if mail.get("username"):
            found["smtp_auth_username"] = mail["username"]
        if mail.get("password_file"):
            found["smtp_auth_password_file"] = self._secret("mail", mail["password_file"])
        return {"global": found}

    def receiver(self, contact: str) -> dict[str, Any]:
        """A contact with everything that it is told by."""
        found: dict[str, Any] = {"name": contact}
        for place, item in enumerate(self._notify.channels(contact)):
            key, config = getattr(self, f"_{item['kind']}")(item, contact, f"{contact}-{place}")
            found.setdefault(key, []).append({**config, "send_resolved": True})
        return found

    def _webhook(self, item: Mapping[str, Any], _contact: str, name: str) -> tuple[str, dict[str, Any]]:
        http: dict[str, Any] = dict(_LISTED_ALONE)
        if item.get("token_file"):  # the address itself can't be a file before 0.26, so the secret is a bearer token
            http["authorization"] = {"credentials_file": self._secret(f"{name}.token", item["token_file"])}
        if item.get("ca_file"):
            http["tls_config"] = {"ca_file": self._secret(f"{name}.ca", item["ca_file"])}
        return "webhook_configs", {"url": item["url"], "http_config": http}

    def _mail(self, item: Mapping[str, Any], contact: str, _name: str) -> tuple[str, dict[str, Any]]:
        return "email_configs", {"to": item.get("to") or self._notify.contacts[contact]}

    def _slack(self, item: Mapping[str, Any], _contact: str, name: str) -> tuple[str, dict[str, Any]]:
        config = {"api_url_file": self._secret(f"{name}.url", item["url_file"]), "text": _SLACK_TEXT,
                  "http_config": dict(_LISTED_ALONE)}
        return "slack_configs", {**config, **({"channel": item["channel"]} if item.get("channel") else {})}

    def _pagerduty(self, item: Mapping[str, Any], _contact: str, name: str) -> tuple[str, dict[str, Any]]:
        config = {"routing_key_file": self._secret(f"{name}.key", item["key_file"]),
                  "severity": "{{ .CommonLabels.severity }}", "http_config": dict(_LISTED_ALONE)}  # fmt: skip
        return "pagerduty_configs", {**config, **({"url": item["url"]} if item.get("url") else {})}
