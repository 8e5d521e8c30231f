"""What is looked for in wheels and sdists before they are taken."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
import zipfile

import pytest

from bonded.model.problems import BadInput
from bonded.simple import archives
from bonded.simple.archives import Described, inspect
from support import broken
from support.broken import SDIST, SDISTS, WHEEL, WHEELS, ZIP, member
from support.dists import metadata, sdist, tarred, wheel, zipped


def look(filename: str, body: bytes) -> Described:
    return inspect(io.BytesIO(body), filename, len(body))


@pytest.mark.parametrize(
    "what", [*(f"wheel: {w}" for w in WHEELS), *(f"sdist: {s}" for s in SDISTS)]
)
def test_a_bad_archive_is_refused_in_a_sentence(what: str) -> None:
    kind, _, name = what.partition(": ")
    filename, make, code = (WHEELS if kind == "wheel" else SDISTS)[name]
    with pytest.raises(BadInput) as caught:
        look(filename, make())
    assert caught.value.code == code, caught.value.message
    assert caught.value.message.startswith(f"{filename} is refused: ")
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("number", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "9.9"])
def test_any_metadata_version_is_taken(number: str) -> None:
    text = metadata("acme", "1.0", python=">=3.9").replace(b"2.1", number.encode(), 1)
    found = look(WHEEL, wheel("acme", about=text).body)
    assert (found.name, str(found.version), found.requires_python) == ("acme", "1.0", ">=3.9")
    assert found.metadata == text


def test_requires_python_that_installers_cannot_read_is_left_out() -> None:
    assert look(WHEEL, wheel("acme", python="around 3").body).requires_python is None


def test_a_name_may_be_spelt_in_any_way_that_means_the_same() -> None:
    text = metadata("Acme.Core", "1.0")
    found = look("acme_core-1.0-py3-none-any.whl", wheel("acme-core", about=text).body)
    assert found.name == "acme-core"


def test_a_version_may_be_spelt_in_any_way_that_means_the_same() -> None:
    text = metadata("acme", "1.0.0-RC1")
    found = look("acme-1.0.0rc1-py3-none-any.whl", wheel("acme", "1.0.0rc1", about=text).body)
    assert str(found.version) == "1.0.0rc1"


def test_a_zip_sdist_is_read_and_an_sdist_has_no_metadata_file() -> None:
    found = look(ZIP, zipped({"acme-1.0/PKG-INFO": metadata("acme", "1.0")}))
    assert (found.name, found.metadata) == ("acme", None)
    assert look(SDIST, sdist("acme").body).metadata is None


def test_links_that_stay_inside_are_fine() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        text = metadata("acme", "1.0")
        archive.addfile(member("acme-1.0/PKG-INFO", size=len(text)), io.BytesIO(text))
        archive.addfile(member("acme-1.0/a/b", tarfile.SYMTYPE, "../c"))
        archive.addfile(member("acme-1.0/d", tarfile.LNKTYPE, "acme-1.0/PKG-INFO"))
    assert look(SDIST, out.getvalue()).name == "acme"


def test_much_that_compresses_as_code_does_is_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "BOMB_SIZE", 1 << 20)
    text = b"".join(b"def f%d():\n    return %d\n\n" % (i * i, i) for i in range(60_000))
    assert len(text) > archives.BOMB_SIZE
    body = wheel("acme", extra={"acme/code.py": text}).body
    assert look(WHEEL, body).name == "acme"


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_any_compression_is_a_refusal(kind: int) -> None:
    out = io.BytesIO(wheel("acme", drop=("METADATA",)).body)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(f"{broken.INFO}/METADATA", metadata("acme", "1.0") * 9, kind)
        start = archive.getinfo(f"{broken.INFO}/METADATA").header_offset + 30
    body = bytearray(out.getvalue())
    for at in range(start + 40, start + 80):
        body[at] ^= 0xFF
    with pytest.raises(BadInput):
        look(WHEEL, bytes(body))


def test_every_truncation_of_an_archive_is_a_refusal() -> None:
    for filename, body in ((WHEEL, wheel("acme").body), (SDIST, sdist("acme").body)):
        for length in range(0, len(body) - 1, 7):
            try:
                look(filename, body[:length])
            except BadInput:
                continue
            # Of a tar only the padding at its end may be missing.
            assert filename == SDIST
            assert length > len(body) - 40


@pytest.mark.parametrize("make", [broken.great_directory, broken.long_headers])
def test_no_archive_makes_its_reader_hold_much(make: broken.Made) -> None:
    body = make()
    filename = WHEEL if make is broken.great_directory else SDIST
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match=r"too large"):
            look(filename, body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Less than what either of them would have it hold.
    assert peak < 8 << 20


def test_an_sdist_is_read_to_its_end() -> None:
    late = tarred({"acme-1.0/PKG-INFO": metadata("acme", "1.0"), "../evil": b""})
    with pytest.raises(BadInput, match="outside"):
        look(SDIST, late)
