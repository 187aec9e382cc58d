"""Pre-trained weights: the digest that a study names, or refused."""

import hashlib
from pathlib import Path

import pytest

from client.site import Site, load_site
from client.weights import verified_weights, weights_digest
from shared.errors import SiteError

SITE = 'name = "north"\n[limits]\nmax_epsilon = 1.0\n[weights]\n'


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def site(folder: Path, **weights: str) -> Site:
    (folder / "site.toml").write_text(SITE + "".join(f'"{digest}" = "{path}"\n' for digest, path in weights.items()))
    return load_site(folder / "site.toml")


def test_a_file_is_found_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "vectors.txt").write_bytes(b"heart 1 2")
    digest = sha(b"heart 1 2")
    assert verified_weights(site(tmp_path, **{digest: "vectors.txt"}), digest) == tmp_path / "vectors.txt"


def test_a_folder_is_found_by_the_digest_of_its_files_and_names(tmp_path: Path) -> None:
    (tmp_path / "bert" / "sub").mkdir(parents=True)
    (tmp_path / "bert" / "model.bin").write_bytes(b"1")
    (tmp_path / "bert" / "sub" / "config.json").write_bytes(b"2")
    digest = sha(f"model.bin, {sha(b'1')}\nsub/config.json, {sha(b'2')}\n".encode())
    assert verified_weights(site(tmp_path, **{digest: "bert"}), digest) == tmp_path / "bert"
    assert weights_digest(tmp_path / "bert") == digest
    (tmp_path / "bert" / "model.bin").rename(tmp_path / "bert" / "other.bin")
    with pytest.raises(SiteError, match="the content has another digest"):
        verified_weights(site(tmp_path, **{digest: "bert"}), digest)


def test_what_is_not_named_not_there_or_another_is_refused(tmp_path: Path) -> None:
    digest = sha(b"1")
    with pytest.raises(SiteError, match="needs weights that are not named"):
        verified_weights(site(tmp_path), digest)
    named = site(tmp_path, **{digest: "SECRET-folder/w.pt"})
    with pytest.raises(SiteError, match="no file or folder at its path") as refused:
        verified_weights(named, digest)
    assert "SECRET" not in str(refused.value)
    (tmp_path / "SECRET-folder").mkdir()
    (tmp_path / "SECRET-folder" / "w.pt").write_bytes(b"1")
    assert verified_weights(named, digest)
    (tmp_path / "SECRET-folder" / "w.pt").write_bytes(b"22")
    with pytest.raises(SiteError, match="the content has another digest"):
        verified_weights(named, digest)


def test_a_key_that_is_no_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="weights"):
        site(tmp_path, abc="w.pt")
