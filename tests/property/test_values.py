"""Laws of names, patterns, bases, tokens, ranges and routes."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from bonded.model.feeds import UpstreamSpec, redacted
from bonded.model.files import Basis
from bonded.model.names import Pattern, distribution, feed_name, project_name
from bonded.model.problems import BadInput, NotAcceptable, Problem, Unauthorised
from bonded.model.tokens import mint, span, well_formed
from bonded.simple import times
from bonded.simple.negotiate import Form, form, gzip_allowed
from bonded.web import auth, ranges, routes
from bonded.web.ranges import Unsatisfiable

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
ODD = st.text() | st.text(alphabet="*?-_.@:/[]%#\\\0\n aA0=;,q")


@given(NAMES)
def test_a_name_is_a_pattern_of_itself(name: str) -> None:
    normal = project_name(name)
    assert project_name(normal) == normal
    pattern = Pattern.parse(name)
    assert pattern.exact
    assert pattern.matches(normal)


@given(NAMES, NAMES)
def test_a_pattern_with_a_star_matches_all_that_begins_so(start: str, rest: str) -> None:
    pattern = Pattern.parse(f"{start}*")
    assert pattern.matches(canonicalize_name(start + rest))
    assert Pattern.parse(f"{start}-*") == Pattern.parse(f"{start.upper()}_*")


@given(ODD)
def test_patterns_are_parsed_or_refused(text: str) -> None:
    try:
        pattern = Pattern.parse(text)
    except BadInput:
        return
    assert Pattern.parse(pattern.text) == pattern
    assert not pattern.text.startswith("-")
    assert not pattern.text.endswith("-")


@given(ODD)
def test_text_is_taken_or_refused_in_words(text: str) -> None:
    for read in (feed_name, project_name, distribution, UpstreamSpec.parse, span):
        try:
            read(text)
        except BadInput as problem:
            assert problem.message


@given(NAMES, st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True))
def test_filenames_give_back_name_and_version(name: str, version: str) -> None:
    stem = canonicalize_name(name).replace("-", "_")
    for filename in (f"{stem}-{version}.tar.gz", f"{stem}-{version}-py3-none-any.whl"):
        project, number = distribution(filename)
        assert (project, str(number)) == (
            canonicalize_name(name),
            ".".join(str(int(p)) for p in version.split(".")),
        )


@given(st.text(alphabet="abc:@/.%", max_size=12))
def test_credentials_are_never_repeated(secret: str) -> None:
    marked = f"s3cr3t{secret}"
    try:
        kept = UpstreamSpec.parse(f"https://me:{marked}@index.example/simple/").text
    except BadInput as problem:
        # What stands before the last @ is the secret; a / ends the host, and with it all that.
        if "/" not in secret and "@" not in secret:
            assert "s3cr3t" not in f"{problem.message}{problem.hint}"
    else:
        assert ":env:" in kept or ":file:" in kept or "s3cr3t" not in redacted(kept)


MOMENTS = st.datetimes(timezones=st.just(UTC))
BASES = st.builds(
    Basis,
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3)).map(
        lambda d: tuple(sorted(d.items()))
    ),
    st.none() | MOMENTS,
)


@given(BASES, BASES, BASES)
def test_bases_merge_in_any_order(a: Basis, b: Basis, c: Basis) -> None:
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | a == a
    assert a | Basis() == a


@given(BASES, BASES)
def test_a_merged_basis_promises_no_more_than_its_parts(a: Basis, b: Basis) -> None:
    both, one = dict((a | b).revisions), dict(a.revisions)
    assert set(both) == set(one) | set(dict(b.revisions))
    assert all(both[key] <= value for key, value in one.items())
    if a.valid_until is not None:
        until = (a | b).valid_until
        assert until is not None
        assert until <= a.valid_until


@given(MOMENTS)
def test_times_go_there_and_back(at: datetime) -> None:
    assert times.parse(times.render(at)) == at


@given(
    st.text() | st.integers() | st.none() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d")
)
def test_times_are_read_or_left(text: object) -> None:
    found = times.parse(text)
    assert found is None or found.tzinfo is UTC


def test_tokens_tell_typos() -> None:
    @given(st.integers(0, 41), st.characters(codec="ascii"))
    def check(at: int, other: str) -> None:
        token = mint()
        changed = token[:at] + other + token[at + 1 :]
        assert well_formed(changed) is (changed == token)

    check()


ACCEPT = st.lists(
    st.builds(
        "{}{}".format,
        st.sampled_from([*(f.value for f in Form), "*/*", "text/*", "application/*", "x/y", ""])
        | st.text(max_size=5),
        st.sampled_from(["", ";q=0", "; q=0.5", ";q=1", ";q=", ";q=x;q=1", ";level=1;q=.3", ";;"])
        | st.text(max_size=5).map(";q={}".format),
    ),
    max_size=5,
).map(",".join)


@given(st.none() | ACCEPT | st.text(), st.none() | ACCEPT | st.text())
@example(None, None)
def test_negotiation_gives_a_form_or_406(accept: str | None, wanted: str | None) -> None:
    try:
        assert form(accept, wanted) in Form
    except NotAcceptable as problem:
        assert problem.status == 406


@given(ACCEPT)
def test_who_takes_anything_always_gets_something(accept: str) -> None:
    refused = {"text/html", "*/*", "text/*"} & {p.split(";")[0] for p in accept.split(",")}
    if not refused:
        assert form(accept + ",*/*;q=0.001") in Form


@given(st.none() | st.text())
def test_codings_are_told(header: str | None) -> None:
    assert gzip_allowed(header) in (True, False)


@given(
    st.text() | st.builds("bytes={}-{}".format, *[st.integers(0, 2**70) | st.just("")] * 2),
    st.integers(0, 2**40),
)
@example("bytes=0-18446744073709551616", 10)
def test_a_range_is_never_outside_of_the_file(header: str, size: int) -> None:
    try:
        part = ranges.parse(header, size)
    except Unsatisfiable as problem:
        assert problem.size == size
        return
    if part is not None:
        start, end = part
        assert 0 <= start < end <= size


@given(st.text() | st.builds("bytes={}-{}".format, *[st.integers(0, 2**40) | st.just("")] * 2))
def test_unsized_ranges_ask_for_something(header: str) -> None:
    part = ranges.unsized(header)
    assert part is None or (part[1] > 0 and (part[0] is None or part[0] >= 0))


SEGMENTS = st.lists(
    st.sampled_from(["", "team", "simple", "_packaging", "pypi", "upload", "a@b", "..", "files"])
    | st.text(max_size=5),
    max_size=9,
)


@given(SEGMENTS)
def test_paths_lead_somewhere_or_are_told(segments: list[str]) -> None:
    try:
        route = routes.parse("/" + "/".join(segments))
    except Problem as problem:
        assert problem.status == 404
        return
    assert route is None or isinstance(route.feed, str)


@given(
    st.binary()
    | st.binary().map(lambda b: b"Basic " + b64encode(b))
    | st.binary().map(b"Bearer ".__add__)
)
def test_a_header_holds_a_token_or_is_401(header: bytes) -> None:
    try:
        assert auth.secret(header)
    except Unauthorised as problem:
        assert problem.status == 401


@pytest.mark.parametrize("text", ["", "a"])
def test_the_strategies_reach_what_they_should(text: str) -> None:
    """A guard: text that is refused and text that is taken are both among the odd."""
    outcomes = []
    for read in (feed_name, project_name):
        try:
            outcomes.append(bool(read(text)))
        except BadInput:
            outcomes.append(False)
    assert outcomes == [bool(text)] * 2
