"""Uploads that are taken, and what is answered to the next one of the same name."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urljoin

import pytest
from packaging.utils import canonicalize_name

from support.dists import Dist, metadata, sdist, tarred, wheel, zipped
from support.serving import form
from support.uploading import Place, content, field, hosting, refused


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from hosting(tmp_path_factory.mktemp("uploads"))


def served(place: Place, dist: Dist, project: str) -> None:
    """The file is on its page, and its bytes and metadata are where the page says."""
    entry = place.files(project)[dist.filename]
    assert entry["hashes"] == {"sha256": dist.sha256}
    assert entry["size"] == len(dist.body)
    url = urljoin(f"/team/simple/{project}/", entry["url"])
    assert place.file(url).body == dist.body
    if dist.filename.endswith(".whl"):
        about = place.file(f"{url}.metadata")
        assert about.body == dist.metadata
        assert entry["core-metadata"] == {"sha256": hashlib.sha256(dist.metadata).hexdigest()}
    else:
        assert not entry.get("core-metadata")


def test_first_200_same_bytes_200_other_bytes_409(place: Place) -> None:
    first, other = wheel("again"), wheel("again", extra={"x": b"1"})
    assert place.upload(first.filename, first.body).status == 200
    kept = place.blobs
    assert place.upload(first.filename, first.body).status == 200
    with place.nothing_kept():
        detail = refused(place.upload(first.filename, other.body), 409, "file-exists")
    assert detail.startswith("File already exists")
    assert place.blobs == kept
    served(place, first, "again")


def test_a_filename_that_was_deleted_stays_taken(place: Place) -> None:
    gone, next_one = wheel("gone"), wheel("gone", "1.1")
    assert place.upload(gone.filename, gone.body).status == 200
    place.bonded.run("delete", "--feed", "team", gone.filename)
    assert gone.sha256 not in place.blobs
    for body in (gone.body, wheel("gone", extra={"x": b""}).body):
        with place.nothing_kept():
            detail = refused(place.upload(gone.filename, body), 400, "filename-burned")
        assert "previously used" in detail
    assert place.upload(next_one.filename, next_one.body).status == 200
    assert list(place.files("gone")) == [next_one.filename]


@pytest.mark.parametrize("standing", ["archived", "quarantined"])
def test_a_project_that_is_closed_refuses_new_files(place: Place, standing: str) -> None:
    name = f"closed-{standing}"
    first, second = wheel(name), wheel(name, "1.1")
    assert place.upload(first.filename, first.body).status == 200
    place.bonded.run("project", "status", "--feed", "team", name, standing)
    with place.nothing_kept():
        refused(place.upload(second.filename, second.body), 403, f"project-{standing}")
    place.bonded.run("project", "status", "--feed", "team", name, "active")
    assert place.upload(second.filename, second.body).status == 200
    assert set(place.files(name)) == {first.filename, second.filename}


@pytest.mark.parametrize(
    "number", ["1.0+cpu.1", "1!2.0", "1!2.0+local.3", "2.0.post1.dev3", "3rc1"]
)
def test_versions_of_every_kind_work_end_to_end(place: Place, number: str) -> None:
    built = [wheel("kinds", number), sdist("kinds", number)]
    for dist in built:
        assert place.upload(dist.filename, dist.body, name="kinds", version=number).status == 200
        served(place, dist, "kinds")
        for spelling in (dist.filename, quote(dist.filename), quote(dist.filename, safe="+!")):
            assert place.file(f"/team/files/kinds/{spelling}").body == dist.body
    spelt = f"/team/files/kinds/{built[0].filename.replace('+', '%2B')}.metadata"
    assert place.file(spelt).body == built[0].metadata
    assert place.file(f"/team/files/kinds/{built[0].filename}.metadata").body == built[0].metadata
    assert number in place.server.page("/team/simple/kinds/", place.token)["versions"]


@pytest.mark.parametrize(
    "filename",
    [
        "Acme_Spelt-1.0-py3-none-any.whl",
        "acme.dotted-1.0-py3-none-any.whl",
        "ACME_SPELT-1.0-2b-cp311.cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    ],
)
def test_wheels_keep_the_filename_they_came_with(place: Place, filename: str) -> None:
    name = filename.partition("-")[0]
    dist = replace(wheel(name), filename=filename)
    assert place.upload(filename, dist.body, name=name).status == 200
    served(place, dist, canonicalize_name(name))


def test_another_spelling_is_no_way_round_what_is_there(place: Place) -> None:
    dist = wheel("respelt", "1.0")
    assert place.upload(dist.filename, dist.body).status == 200
    other = wheel("respelt", "1.0", extra={"respelt/more.py": b""}).body
    for filename in ("Respelt-1.0-py3-none-any.whl", "respelt-1.0.0-py3-none-any.whl"):
        refused = place.upload(filename, other)
        assert refused.status == 409
        assert dist.filename in refused.problem["detail"]
    assert place.upload("respelt-1.0-1-py3-none-any.whl", other).status == 200
    place.bonded.run("delete", "--feed", "team", dist.filename)
    assert place.upload("RESPELT-1.0-py3-none-any.whl", other).status == 409


@pytest.mark.parametrize("filename", ["Acme.Source-1.0.tar.gz", "acme-source-1.1.tar.gz"])
def test_sdists_keep_the_filename_they_came_with(place: Place, filename: str) -> None:
    number = filename.removesuffix(".tar.gz").rpartition("-")[2]
    about = {"any/PKG-INFO": metadata("acme_source", number)}
    dist = Dist(filename, tarred(about | {filename: b""}))
    assert place.upload(filename, dist.body).status == 200
    served(place, dist, "acme-source")


def test_a_zip_sdist_is_taken(place: Place) -> None:
    dist = Dist("zipped-1.0.zip", zipped({"zipped-1.0/PKG-INFO": metadata("zipped", "1.0")}))
    assert place.upload(dist.filename, dist.body, filetype="sdist").status == 200
    served(place, dist, "zipped")


@pytest.mark.parametrize("number", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "9.9"])
def test_any_metadata_version_is_taken(place: Place, number: str) -> None:
    about = metadata("versions", number).replace(b"2.1", number.encode(), 1)
    dist = wheel("versions", number, about=about)
    reply = place.upload(dist.filename, dist.body, metadata_version=number)
    assert reply.status == 200
    served(place, dist, "versions")


def test_right_digests_are_taken_in_every_spelling(place: Place) -> None:
    for number, change in enumerate((str, str.upper)):
        dist = wheel("digests", f"1.{number}")
        given = {
            "sha256_digest": change(dist.sha256),
            "blake2_256_digest": change(hashlib.blake2b(dist.body, digest_size=32).hexdigest()),
            "md5_digest": change(hashlib.md5(dist.body).hexdigest()),
        }
        assert place.upload(dist.filename, dist.body, **given).status == 200
    dist = wheel("digests", "2.0")
    plain = urlsafe_b64encode(hashlib.md5(dist.body).digest()).decode().rstrip("=")
    assert place.upload(dist.filename, dist.body, md5_digest=plain).status == 200


def test_fields_that_are_unknown_repeated_or_late_do_no_harm(place: Place) -> None:
    dist = wheel("late")
    reply = place.parts(
        content(dist.filename, dist.body, more="Content-Type: application/octet-stream\r\n"),
        field(":action", "file_upload"),
        field("name", "late"),
        field("version", "1.0"),
        field("sha256_digest", dist.sha256),
        field("classifiers", "A :: B"),
        field("classifiers", "C :: D"),
        field("description", b"not \xff UTF-8"),
        field("attestations", "[]"),
        field("of-tomorrow", "x" * 100_000),
        field("", ""),
        content("late.asc", b"--PGP--", name="gpg_signature"),
    )
    assert reply.status == 200, reply
    served(place, dist, "late")


def test_a_late_field_is_believed_as_much_as_an_early_one(place: Place) -> None:
    dist = wheel("lies-late")
    parts = (content(dist.filename, dist.body), field("sha256_digest", "0" * 64))
    with place.nothing_kept():
        refused(place.parts(*parts), 400, "digest-mismatch")


def test_the_file_alone_is_enough(place: Place) -> None:
    dist = wheel("alone")
    assert place.parts(content(dist.filename, dist.body)).status == 200
    served(place, dist, "alone")


def test_empty_fields_say_nothing(place: Place) -> None:
    dist = wheel("empty-fields")
    given = dict.fromkeys(("name", "version", "sha256_digest", "md5_digest", "comment"), "")
    assert place.upload(dist.filename, dist.body, **given).status == 200


def test_both_spellings_of_the_address_take_uploads(place: Place) -> None:
    for number, path in enumerate(("/team/legacy/", "/team/legacy")):
        dist = wheel("address", f"1.{number}")
        body, headers = form(dist.filename, dist.body)
        reply = place.server.request("POST", path, token=place.token, headers=headers, body=body)
        assert reply.status == 200


def test_a_form_without_a_length_is_taken(place: Place) -> None:
    dist = wheel("chunked", extra={"noise": bytes(range(256)) * 4000})
    body, headers = form(dist.filename, dist.body)
    pieces = (body[i : i + 1000] for i in range(0, len(body), 1000))
    assert place.post(pieces, headers["Content-Type"]).status == 200
    served(place, dist, "chunked")


def test_the_boundary_may_come_in_the_file(place: Place) -> None:
    dist = wheel("edges", extra={"x": b"\r\n------bonded-test\r\n--\r\n" * 9}, stored=True)
    assert place.upload(dist.filename, dist.body).status == 200
    served(place, dist, "edges")


def test_the_same_bytes_may_be_held_by_two_feeds(place: Place) -> None:
    place.bonded.run("feed", "create", "other")
    token = place.bonded.token("other")
    dist = wheel("shared")
    body, headers = form(dist.filename, dist.body)
    for feed, word in (("team", place.token), ("other", token)):
        path = f"/{feed}/legacy/"
        assert (
            place.server.request("POST", path, token=word, headers=headers, body=body).status == 200
        )
    place.bonded.run("delete", "--feed", "other", dist.filename)
    served(place, dist, "shared")


def test_a_full_path_of_windows_is_a_filename(place: Place) -> None:
    dist = wheel("drive")
    assert place.upload(f"C:\\dist\\{dist.filename}", dist.body).status == 200
    assert list(place.files("drive")) == [dist.filename]
