"""A region's certificates: made once, verified by their authority, renewed in time."""

from __future__ import annotations

import datetime as dt
import stat
import subprocess
from pathlib import Path

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import Wanted, ensure_pki, kubeconfig

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SERVER = Wanted("apiserver", "ca", "kube-apiserver", names=("10.77.1.2", "kubernetes"))
CLIENT = Wanted("admin", "ca", "admin", organizations=("system:masters",))


def make(folder: Path, now: dt.datetime = NOW, wanted: tuple[Wanted, ...] = (SERVER, CLIENT)) -> list[str]:
    return ensure_pki(folder, ["ca"], list(wanted), ["service-account.key", "encryption.yaml"], now, check=False)


def test_everything_is_made_once(tmp_path: Path) -> None:
    assert make(tmp_path) == ["ca", "apiserver", "admin", "service-account.key", "encryption.yaml"]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert make(tmp_path) == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    assert ensure_pki(folder, ["ca"], [CLIENT], [], NOW, check=True) == ["ca", "admin"]
    assert not folder.exists()


def test_keys_are_readable_by_root_only(tmp_path: Path) -> None:
    make(tmp_path)
    for path in [*tmp_path.glob("*.key"), tmp_path / "encryption.yaml"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_openssl_accepts_the_chain_and_the_names(tmp_path: Path) -> None:
    make(tmp_path, dt.datetime.now(dt.UTC))
    verify = ["openssl", "verify", "-CAfile", str(tmp_path / "ca.crt"), "-purpose", "sslserver"]
    for name in ("-verify_ip", "10.77.1.2"), ("-verify_hostname", "kubernetes"):
        done = subprocess.run([*verify, *name, str(tmp_path / "apiserver.crt")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    refused = subprocess.run([*verify, "-verify_ip", "10.77.9.9", str(tmp_path / "apiserver.crt")], capture_output=True)
    assert refused.returncode != 0


def test_a_certificate_near_its_end_is_renewed_and_its_authority_is_not(tmp_path: Path) -> None:
    make(tmp_path)
    assert make(tmp_path, NOW + dt.timedelta(days=240)) == []
    assert make(tmp_path, NOW + dt.timedelta(days=250)) == ["apiserver", "admin"]


def test_all_are_renewed_at_once_and_their_authority_and_lone_keys_are_not(tmp_path: Path) -> None:
    make(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    given = (["ca"], [SERVER, CLIENT], ["service-account.key", "encryption.yaml"], NOW)
    assert ensure_pki(tmp_path, *given, check=True, renew=True) == ["apiserver", "admin"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert ensure_pki(tmp_path, *given, check=False, renew=True) == ["apiserver", "admin"]
    changed = {name for name in before if before[name] != (tmp_path / name).read_bytes()}
    assert changed == {"apiserver.crt", "apiserver.key", "admin.crt", "admin.key"}
    assert make(tmp_path) == []


def test_a_certificate_whose_key_is_another_one_is_renewed(tmp_path: Path) -> None:
    """A run was ended after it had written the new key and before it wrote the certificate."""
    make(tmp_path)
    (tmp_path / "admin.key").write_bytes((tmp_path / "apiserver.key").read_bytes())
    assert make(tmp_path) == ["admin"]
    (tmp_path / "ca.key").write_text("cut off")
    assert make(tmp_path) == ["ca", "apiserver", "admin"]


def test_other_names_make_a_new_certificate(tmp_path: Path) -> None:
    make(tmp_path)
    moved = Wanted("apiserver", "ca", "kube-apiserver", names=("10.77.5.2", "kubernetes"))
    assert make(tmp_path, wanted=(moved, CLIENT)) == ["apiserver"]


def test_a_lost_authority_takes_its_certificates_with_it(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "ca.key").unlink()
    assert make(tmp_path) == ["ca", "apiserver", "admin"]


def test_kubeconfig_holds_the_certificates(tmp_path: Path) -> None:
    make(tmp_path)
    config = yaml.safe_load(kubeconfig(tmp_path, "admin", "https://10.77.1.2:6443", "us-east-1"))
    assert config["current-context"] == "us-east-1"
    assert config["clusters"][0]["cluster"]["server"] == "https://10.77.1.2:6443"
    assert set(config["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
