"""Uploads that contradict themselves, are no upload, or carry what must not be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from support.broken import SDISTS, WHEEL, WHEELS
from support.dists import metadata, sdist, wheel
from support.serving import basic
from support.uploading import PATH, Place, content, field, hosting, joined, refused

LIMIT = 20 << 20
ACME = wheel("acme")
FILE = content(WHEEL, ACME.body)
BLAKE = hashlib.blake2b(b"", digest_size=32).hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Nothing is ever listed here."""
    folder = tmp_path_factory.mktemp("refusals")
    for place in hosting(folder, BONDED_MAX_FILE_SIZE=str(LIMIT)):
        yield place
        assert place.blobs == set()
        assert place.server.page("/team/simple/", place.token)["projects"] == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"sha256_digest": "0" * 64}, "digest-mismatch"),
        ({"sha256_digest": "no digest at all"}, "digest-mismatch"),
        ({"sha256_digest": ACME.sha256[:-1]}, "digest-mismatch"),
        ({"md5_digest": "0" * 32}, "digest-mismatch"),
        ({"md5_digest": "AAAAAAAAAAAAAAAAAAAAAA"}, "digest-mismatch"),
        ({"blake2_256_digest": BLAKE}, "digest-mismatch"),
        ({"sha256_digest": ACME.sha256, "md5_digest": "0" * 32}, "digest-mismatch"),
        ({"name": "other"}, "name-mismatch"),
        ({"name": "../acme"}, "name-mismatch"),
        ({"version": "1.1"}, "version-mismatch"),
        ({"version": "1.0+local"}, "version-mismatch"),
        ({"version": "latest"}, "version-mismatch"),
        ({"filetype": "bdist_egg"}, "bad-filetype"),
        ({"protocol_version": "2"}, "protocol"),
        ({":action": "submit"}, "action"),
    ],
)
def test_a_form_that_contradicts_its_file_is_refused(
    place: Place, said: dict[str, str], code: str
) -> None:
    with place.nothing_kept():
        refused(place.upload(WHEEL, ACME.body, **said), 400, code)


@pytest.mark.parametrize(
    "filename",
    [
        "acme-1.1-py3-none-any.whl",
        "other-1.0-py3-none-any.whl",
        "acme-1.0+local-py3-none-any.whl",
        "acme-1!1.0-py3-none-any.whl",
    ],
)
def test_a_filename_that_is_not_that_of_the_archive_is_refused(place: Place, filename: str) -> None:
    with place.nothing_kept():
        refused(place.upload(filename, ACME.body), 400, "bad-archive")


def test_metadata_of_another_version_than_the_filename_and_folder_say(place: Place) -> None:
    lying = wheel("acme", about=metadata("acme", "1.0+cpu"))
    with place.nothing_kept():
        refused(place.upload(WHEEL, lying.body), 400, "metadata-mismatch")
        # Nor does a form that goes along with the metadata help.
        refused(place.upload(WHEEL, lying.body, version="1.0+cpu"), 400, "metadata-mismatch")


@pytest.mark.parametrize(
    "filename",
    [
        f"../{WHEEL}",
        f"/etc/{WHEEL}",
        f"sub/{WHEEL}",
        f"..\\\\{WHEEL}",
        "..%2F" + WHEEL,
        WHEEL + "\x00",
        "\x00" + WHEEL,
        "acme-1.0\x1b[2J-py3-none-any.whl",
        "acme-1.0\t-py3-none-any.whl",
        f" {WHEEL}",
        "acme-1.0 -py3-none-any.whl",
        "ácme-1.0-py3-none-any.whl",
        f"{WHEEL}.metadata",
        "acme-1.0-py3-none-any.WHL",
        "acme-1.0-py3-none.whl",
        "acme-1.0.whl",
        "acme-latest-py3-none-any.whl",
        "acme--1.0-py3-none-any.whl",
        "acme-1.0.tar.bz2",
        "acme-1.0.egg",
        "acme-1.0.exe",
        "acme.tar.gz",
        "-1.0.tar.gz",
        ".tar.gz",
        ".whl",
        "index.html",
        ".",
        "..",
        "a" * 300 + "-1.0-py3-none-any.whl",
    ],
)
def test_what_is_no_filename_of_a_distribution_is_refused(place: Place, filename: str) -> None:
    with place.nothing_kept():
        refused(place.upload(filename, ACME.body), 400, "bad-filename")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad-form"),
        (b"just some words", "bad-form"),
        (joined([FILE], end=b"\r\n"), "bad-form"),
        (joined([FILE], end=b""), "bad-form"),
        (joined([FILE])[: len(ACME.body) // 2], "bad-form"),
        (joined([b"X-Header: 1\r\n\r\nbody"]), "bad-form"),
        (joined([b"no header at all"]), "bad-form"),
        (joined([b'Content-Disposition: attachment; name="x"\r\n\r\n']), "bad-form"),
        (joined([b'Content-Disposition: form-data; name="\xff\xfe"\r\n\r\n']), "bad-form"),
        (joined([content(WHEEL, ACME.body, more="Content-Length: 7\r\n")]), "bad-form"),
        (joined([content(WHEEL, ACME.body, more="Content-Length: 999999\r\n")]), "bad-form"),
        (joined([field(str(i), "") for i in range(5100)]), "bad-form"),
        (joined([b"X-Long: " + b"x" * 9000]), "bad-form"),
        (joined([]), "no-file"),
        (joined([field(":action", "file_upload"), field("name", "acme")]), "no-file"),
        (joined([content("", ACME.body)]), "no-file"),
        (joined([field("content", ACME.body)]), "no-file"),
        (joined([FILE, FILE]), "two-files"),
        (joined([FILE, content("other-1.0.tar.gz", sdist("other").body)]), "two-files"),
        (joined([field("content", b"x"), FILE]), "two-files"),
    ],
)
def test_a_form_that_cannot_be_read_or_used_is_refused(
    place: Place, body: bytes, code: str
) -> None:
    with place.nothing_kept():
        refused(place.post(body), 400, code)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart",
        ";;;",
        "",
    ],
)
def test_what_is_not_a_form_is_refused(place: Place, kind: str) -> None:
    with place.nothing_kept():
        refused(place.post(joined([FILE]), kind or None, Content_Type=kind), 400, "not-a-form")


def test_no_content_type_at_all(place: Place) -> None:
    headers = {"Authorization": basic(place.token)}
    with place.nothing_kept():
        reply = place.server.request("POST", PATH, headers=headers, body=joined([FILE]))
        refused(reply, 400, "not-a-form")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_told_which_is_right(place: Place, method: str) -> None:
    reply = place.server.request(method, PATH, token=place.token)
    assert reply.status == 405
    if method != "HEAD":
        assert "POST" in refused(reply, 405, "method-not-allowed")


@pytest.mark.parametrize("name", WHEELS)
def test_a_bad_wheel_is_refused(place: Place, name: str) -> None:
    filename, make, code = WHEELS[name]
    with place.nothing_kept():
        refused(place.upload(filename, make()), 400, code)


@pytest.mark.parametrize("name", SDISTS)
def test_a_bad_sdist_is_refused(place: Place, name: str) -> None:
    filename, make, code = SDISTS[name]
    with place.nothing_kept():
        refused(place.upload(filename, make()), 400, code)


def test_a_file_of_more_than_the_limit_is_refused(place: Place) -> None:
    big = wheel("acme", extra={"noise": bytes(LIMIT)}, stored=True)
    with place.nothing_kept():
        detail = refused(place.upload(WHEEL, big.body), 413, "file-too-large")
    assert str(LIMIT) in detail


def test_fields_of_more_than_their_limit_are_refused(place: Place) -> None:
    many = [field(str(i), b"x" * (6 << 20)) for i in range(3)]
    with place.nothing_kept():
        refused(place.parts(*many, FILE), 413, "form-too-large")
