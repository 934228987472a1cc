"""Signing in: tokens that end, passwords that are not guessed, users that are not disclosed."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from api.credentials import FAILURES_MOST, Credentials, TooManyAttempts, UserExists
from ledger.errors import StoreFault
from tests.api.http_office import FAST, V1, HttpOffice, SetClock


def sign_in(office: HttpOffice, username: object, password: object) -> object:
    return office.post(None, f"{V1}/tokens", {"username": username, "password": password}, key=None)


def test_a_token_opens_the_door_for_eight_hours(office: HttpOffice, clock: SetClock) -> None:
    answer = office.post(None, f"{V1}/tokens", {"username": "reviewer", "password": "demo"}, key=None)
    assert (answer.status_code, set(answer.json)) == (201, {"token", "expires_at"})
    assert datetime.fromisoformat(answer.json["expires_at"]) == clock.now + timedelta(hours=8)

    office.tokens["reviewer"] = answer.json["token"]
    me = office.get("reviewer", f"{V1}/me").json
    assert (me["username"], [role["role"] for role in me["roles"]]) == ("reviewer", ["reviewer"])
    clock.advance(hours=8)
    expired = office.get("reviewer", f"{V1}/me")
    assert (expired.status_code, expired.json["code"]) == (401, "invalid-token")


def test_a_wrong_password_and_an_unknown_user_look_alike(office: HttpOffice) -> None:
    wrong, unknown = sign_in(office, "reviewer", "nope"), sign_in(office, "stranger", "nope")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json == unknown.json
    assert wrong.json["code"] == "invalid-credentials"


def test_too_many_failures_close_one_user_for_a_while(office: HttpOffice, clock: SetClock) -> None:
    for _ in range(FAILURES_MOST):
        assert sign_in(office, "reviewer", "nope").status_code == 401
        clock.advance(minutes=1)
    closed = sign_in(office, "reviewer", "demo")
    assert (closed.status_code, closed.json["code"]) == (429, "too-many-attempts")
    assert closed.headers["Retry-After"] == str(10 * 60)
    assert sign_in(office, "finance", "demo").status_code == 201
    clock.advance(minutes=10)
    assert sign_in(office, "reviewer", "demo").status_code == 201


def test_a_success_forgives_the_failures_before_it(office: HttpOffice) -> None:
    for _ in range(3):
        for _ in range(FAILURES_MOST - 1):
            sign_in(office, "reviewer", "nope")
        assert sign_in(office, "reviewer", "demo").status_code == 201


def test_many_guesses_at_once_are_no_more_than_the_limit(office: HttpOffice) -> None:
    with ThreadPoolExecutor(20) as guesses:
        answers = list(guesses.map(lambda n: sign_in(office, "reviewer", f"guess-{n}"), range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * FAILURES_MOST + [429] * (20 - FAILURES_MOST)


@pytest.mark.parametrize(
    ("username", "password"), [("x" * 61, "demo"), ("reviewer", ""), ("reviewer", "p" * 10_000), ("re\0viewer", "demo")]
)
def test_what_can_be_no_name_or_password_is_just_wrong(office: HttpOffice, username: str, password: str) -> None:
    assert sign_in(office, username, password).status_code == 401


@pytest.mark.parametrize("username", [None, 5, ["reviewer"], {"$ne": ""}])
def test_a_name_is_text(office: HttpOffice, username: object) -> None:
    assert sign_in(office, username, "demo").status_code == 422


def test_a_new_password_ends_the_old_one_and_its_tokens(office: HttpOffice) -> None:
    office.service.credentials.set_password("reviewer", "another")
    assert office.get("reviewer", f"{V1}/me").status_code == 401
    assert sign_in(office, "reviewer", "demo").status_code == 401
    assert sign_in(office, "reviewer", "another").status_code == 201


def test_the_file_holds_no_password_and_no_token(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "credentials.sqlite"
    store = Credentials(path, clock, FAST)
    store.add_user("somebody", "correct horse")
    token = store.issue_token("somebody").token
    store.close()
    content = path.read_bytes()
    assert b"correct horse" not in content
    assert token.encode() not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_known_survives_a_restart(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "credentials.sqlite"
    first = Credentials(path, clock, FAST)
    first.add_user("somebody", "demo")
    token = first.issue_token("somebody").token
    for _ in range(FAILURES_MOST):
        first.verify("somebody", "nope")
    first.close()
    second = Credentials(path, clock, FAST)
    assert second.person_of(token) == "somebody"
    with pytest.raises(TooManyAttempts):
        second.verify("somebody", "demo")
    with pytest.raises(UserExists):
        second.add_user("somebody", "demo")
    second.close()


@pytest.mark.parametrize("username", ["", "a/b", "a b", "x" * 61, "system", "名\u200b"])
def test_a_name_that_would_be_misread_is_no_user(tmp_path: Path, clock: SetClock, username: str) -> None:
    store = Credentials(tmp_path / "credentials.sqlite", clock, FAST)
    with pytest.raises(ValueError, match="name"):
        store.add_user(username, "demo")
    store.close()


def test_a_file_of_another_kind_stops_the_start(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "credentials.sqlite"
    path.write_bytes(b"not a database, and long enough to be looked at" * 100)
    with pytest.raises(StoreFault):
        Credentials(path, clock, FAST)


def test_a_file_of_a_newer_release_stops_the_start(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "credentials.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreFault, match="newer"):
        Credentials(path, clock, FAST)
