# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry (distribution API v2): finds manifests and blobs by tag or digest, stores and names them."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from email.message import Message

from .plan import ImageError

ACCEPT = ", ".join((
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
))
MANIFEST_BYTES = 4 << 20
BLOB_BYTES = 1 << 30


@dataclass(frozen=True)
class Answer:
    """What the registry said; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Registry:
    """One registry; ``insecure`` is plain HTTP, ``timeout`` in seconds."""

    host: str
    insecure: bool = False
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 10.0
    _authorization: str = field(default="", repr=False)

    def digest(self, name: str, reference: str) -> str:
        """Return the digest of a tag's or digest's manifest, empty when the registry has none."""
        answer = self._call("HEAD", name, f"manifests/{reference}")
        if answer.status == 404:
            return ""
        return answer.headers.get("docker-content-digest") or self._hash(self.manifest(name, reference)[0])

    def manifest(self, name: str, reference: str) -> tuple[bytes, str]:
        """Return a manifest and its media type."""
        answer = self._call("GET", name, f"manifests/{reference}")
        if answer.status == 404:
            raise ImageError(f"registry {self.host} has no {name} {reference}")
        return answer.body, answer.headers.get("content-type", "")

    def platforms(self, name: str, reference: str) -> list[str]:
        """Return the platforms of an image, sorted, as ``os/architecture``; raise ImageError when one is incomplete."""
        document = json.loads(self.manifest(name, reference)[0])
        if "manifests" in document:
            found = []
            for entry in document["manifests"]:
                if not self.digest(name, entry["digest"]):
                    raise ImageError(f"registry {self.host} has lost {name}@{entry['digest']}")
                found.append("{os}/{architecture}".format(**entry["platform"]))
            return sorted(found)
        config = json.loads(self._call("GET", name, f"blobs/{document['config']['digest']}").body)
        return [f"{config['os']}/{config['architecture']}"]

    def tag(self, name: str, digest: str, tag: str) -> None:
        """Let ``tag`` name the manifest ``digest``."""
        body, kind = self.manifest(name, digest)
        self._call("PUT", name, f"manifests/{tag}", body, kind)

    def put(self, name: str, reference: str, body: bytes, kind: str) -> str:
        """Store a manifest under a tag, or under its digest when ``reference`` is empty; return its digest."""
        digest = self._hash(body)
        self._call("PUT", name, f"manifests/{reference or digest}", body, kind)
        return digest

    def blob(self, name: str, digest: str, limit: int = BLOB_BYTES) -> bytes:
        """Return a blob; raise ImageError when it isn't there, is larger than ``limit`` or isn't what it is called."""
        answer = self._call("GET", name, f"blobs/{digest}", limit=limit)
        if answer.status == 404:
            raise ImageError(f"registry {self.host} has no blob {digest} of {name}")
        if self._hash(answer.body) != digest:
            raise ImageError(f"registry {self.host} answered something else than {name} {digest}")
        return answer.body

    def upload(self, name: str, body: bytes) -> str:
        """Store a blob unless it is there; return its digest."""
        digest = self._hash(body)
        if self._call("HEAD", name, f"blobs/{digest}").status != 404:
            return digest
        place = self._call("POST", name, "blobs/uploads/", b"").headers.get("location", "")
        url = urllib.parse.urljoin(self._url(name, "blobs/uploads/"), place)
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode({"digest": digest})
        self._request("PUT", url, f"{name}/blobs", body, "application/octet-stream")
        return digest

    @staticmethod
    def _hash(body: bytes) -> str:
        return f"sha256:{hashlib.sha256(body).hexdigest()}"

    def _url(self, name: str, path: str) -> str:
        return f"{'http' if self.insecure else 'https'}://{self.host}/v2/{name}/{path}"

    def _call(self, method: str, name: str, path: str, body: bytes | None = None, kind: str = "",
              limit: int = MANIFEST_BYTES) -> Answer:
        return self._request(method, self._url(name, path), f"{name}/{path}", body, kind, limit)

    def _request(self, method: str, url: str, what: str, body: bytes | None = None, kind: str = "",
                 limit: int = MANIFEST_BYTES) -> Answer:
        answer = self._send(method, url, self._authorization, body, kind, limit)
        if answer.status == 401:
            self._authorization = self._authorize(answer.headers.get("www-authenticate", ""))
            answer = self._send(method, url, self._authorization, body, kind, limit)
        if answer.status in (401, 403):
            raise ImageError(f"registry {self.host} refuses {method} {what} ({answer.status}): check user and password")
        if answer.status >= 400 and answer.status != 404:
            raise ImageError(f"registry {self.host} answered {answer.status} to {method} {what}")
        return answer

    def _authorize(self, challenge: str) -> str:
        """Return the Authorization header that a challenge asks for."""
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode() if self.username else ""
        scheme, _unused, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return f"Basic {basic}" if basic else ""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = fields.pop("realm", "")
        if scheme.lower() != "bearer" or not realm.startswith(("https://", "http://") if self.insecure else "https://"):
            return ""
        fields.pop("error", "")
        answer = self._send("GET", f"{realm}?{urllib.parse.urlencode(fields)}", f"Basic {basic}" if basic else "")
        if answer.status != 200:
            return ""
        token = json.loads(answer.body)
        return f"Bearer {token.get('token') or token.get('access_token', '')}"

    def _send(self, method: str, url: str, authorization: str, body: bytes | None = None, kind: str = "",
              limit: int = MANIFEST_BYTES) -> Answer:
        request = urllib.request.Request(url, body, {"Accept": ACCEPT}, method=method)
        if kind:
            request.add_header("Content-Type", kind)
        if authorization:
            request.add_unredirected_header("Authorization", authorization)
        try:
            with self._opener().open(request, timeout=self.timeout) as reply:
                return self._answer(reply.status, reply.headers, reply.read(limit))
        except urllib.error.HTTPError as error:
            return self._answer(error.code, error.headers, b"")
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ImageError(f"registry {self.host} can't be reached ({reason}): is it running, and is "
                             f"{'plain HTTP' if self.insecure else 'TLS'} right for it?") from error

    def _opener(self) -> urllib.request.OpenerDirector:
        if self.insecure:  # a registry of one's own: no proxy leads there
            return urllib.request.build_opener(urllib.request.ProxyHandler({}))
        context = ssl.create_default_context(cafile=self.ca_file or None)
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    @staticmethod
    def _answer(status: int, headers: Message, body: bytes) -> Answer:
        return Answer(status, {name.lower(): value for name, value in headers.items()}, body)
