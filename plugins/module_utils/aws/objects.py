# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small objects in buckets of S3, each call in its bucket's own location; a write names what it replaces."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .owner import OWNER, require_owned
from .session import Access, AwsError, Client

SERVICE = "s3"
DEFAULT = "us-east-1"
"""The one location that a bucket must not name when it is made."""


class ReplacedError(AwsError):
    """Somebody else wrote the object meanwhile."""


@dataclass(frozen=True, slots=True)
class Held:
    """An object's text and the mark of this version; both empty when there is none."""

    text: str = ""
    mark: str = ""


class Bucket:
    """One bucket."""

    def __init__(self, name: str, location: str, access: Access) -> None:
        self.name, self.location = name, location
        self.client = Client(SERVICE, location, access)

    def read(self, key: str) -> Held:
        """An object; empty when there is none. Raises AwsError."""
        found = self.client.found("get_object", ("NoSuchKey", "404"), Bucket=self.name, Key=key)
        if found is None:
            return Held()
        try:
            text = found["Body"].read().decode("utf-8")
        except Exception as error:  # the connection ended, or it is no text: botocore, urllib3 and codecs all differ
            raise AwsError(SERVICE, "get_object", type(error).__name__, str(error)) from None
        return Held(text, str(found["ETag"]))

    def write(self, key: str, text: str, before: Held) -> Held:
        """Replace exactly what was read. Raises ReplacedError when it is another one by now, else AwsError."""
        condition = {"IfMatch": before.mark} if before.mark else {"IfNoneMatch": "*"}
        try:
            made = self.client.call(
                "put_object", Bucket=self.name, Key=key, Body=text.encode(), ContentType="text/plain",
                CacheControl="no-store", **condition,
            )  # fmt: skip
        except AwsError as error:
            if error.code in ("PreconditionFailed", "ConditionalRequestConflict", "412", "409"):
                raise ReplacedError(SERVICE, "put_object", error.code, f"{self.name}/{key} was replaced") from None
            raise
        return Held(text, str(made["ETag"]))

    def tags(self) -> dict[str, str] | None:
        """The bucket's tags; None when there is no such bucket."""
        if self.client.found("head_bucket", ("404", "NoSuchBucket"), Bucket=self.name) is None:
            return None
        found = self.client.found("get_bucket_tagging", ("NoSuchTagSet",), Bucket=self.name)
        return {item["Key"]: item["Value"] for item in (found or {}).get("TagSet", [])}

    def policy(self) -> str:
        """The bucket's policy, empty for none."""
        found = self.client.found("get_bucket_policy", ("NoSuchBucketPolicy",), Bucket=self.name)
        return str(found["Policy"]) if found else ""

    def create(self, tags: Mapping[str, str]) -> None:
        """Make the bucket."""
        place = {} if self.location == DEFAULT else {"LocationConstraint": self.location}
        named = {"CreateBucketConfiguration": place} if place else {}
        self.client.call("create_bucket", Bucket=self.name, **named)
        tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
        self.client.call("put_bucket_tagging", Bucket=self.name, Tagging=tagging)
        self.client.call("put_bucket_versioning", Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def empty_and_delete(self) -> None:
        """Take the bucket away with every version of what is in it."""
        for kind in ("Versions", "DeleteMarkers"):
            for item in self.client.pages("list_object_versions", kind, Bucket=self.name):
                self.client.call("delete_object", Bucket=self.name, Key=item["Key"], VersionId=item["VersionId"])
        self.client.call("delete_bucket", Bucket=self.name)

    def put_policy(self, text: str) -> None:
        """Set the bucket's policy."""
        self.client.call("put_bucket_policy", Bucket=self.name, Policy=text)


def ensure(bucket: Bucket, owner: str, tags: Mapping[str, str], policy: str, *, check: bool) -> list[str]:
    """Have a bucket with a policy: what was (would be) done. Raises NotOursError for somebody else's."""
    known = bucket.tags()
    done = []
    if known is None:
        done.append(f"create bucket {bucket.name} in {bucket.location}")
        if not check:
            bucket.create({**tags, OWNER: owner})
    else:
        require_owned(known, owner, f"the bucket {bucket.name}")
    held = bucket.policy() if known is not None else ""
    if json.loads(held or "{}") != json.loads(policy):
        done.append(f"set policy of bucket {bucket.name}")
        if not check:
            bucket.put_policy(policy)
    return done


def readable_by(bucket: str, key: str, networks: Collection[str]) -> str:
    """A policy by which some networks may read one object. Not public to S3, which blocks public policies."""
    statement = {
        "Sid": "HealthCheckersRead",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/{key}",
        "Condition": {"IpAddress": {"aws:SourceIp": sorted(networks)}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)
