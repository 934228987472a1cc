"""Signing in: tokens that end, passwords that are not guessed, users that are not disclosed."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from api import credentials
from api.credentials import FAILURES_MOST, HASHINGS_MOST, Credentials, TooManyAttempts, UserExists
from ledger.errors import StoreFault, Unavailable
from tests.api.http_office import FAST, V1, HttpOffice, SetClock


def sign_in(office: HttpOffice, username: object, password: object) -> TestResponse:
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
        first.verify("somebody", "nope", address="127.0.0.1")
    first.close()
    second = Credentials(path, clock, FAST)
    assert second.person_of(token) == "somebody"
    with pytest.raises(TooManyAttempts):
        second.verify("somebody", "demo", address="127.0.0.1")
    with pytest.raises(UserExists):
        second.add_user("somebody", "demo")
    second.close()


def test_nobody_can_lock_out_somebody_at_another_address(office: HttpOffice) -> None:
    sign_ins = office.app.test_client()

    def from_there(password: str, address: str) -> int:
        body = {"username": "admin", "password": password}
        return sign_ins.post(f"{V1}/tokens", json=body, environ_base={"REMOTE_ADDR": address}).status_code

    for _ in range(FAILURES_MOST):
        assert from_there("nope", "198.51.100.7") == 401
    assert from_there("demo", "198.51.100.7") == 429
    assert from_there("demo", "198.51.100.8") == 201
    for number in range(FAILURES_MOST):
        assert from_there("nope", f"2001:db8::{number}") == 401
    assert from_there("demo", "2001:db8::ffff") == 429
    assert from_there("demo", "2001:db8:0:1::1") == 201


def test_one_address_guesses_so_often_and_no_more_whatever_the_names(
    office: HttpOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "ADDRESS_FAILURES_MOST", 7)
    assert [sign_in(office, f"user{number}", "nope").status_code for number in range(8)] == [401] * 7 + [429]
    assert sign_in(office, "reviewer", "demo").status_code == 429


def test_so_many_passwords_are_hashed_at_once_and_no_more(office: HttpOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "HASHING_WAIT_SECONDS", 0.01)
    with ExitStack() as hashing:
        for _ in range(HASHINGS_MOST):
            hashing.enter_context(office.service.credentials._hashing())
        for _ in range(FAILURES_MOST + 1):
            busy = sign_in(office, "reviewer", "demo")
            assert (busy.status_code, "Retry-After" in busy.headers) == (503, True)
    assert sign_in(office, "reviewer", "demo").status_code == 201


@pytest.mark.parametrize("typed", ["Finance", "ＦＩＮＡＮＣＥ"])
def test_another_way_of_typing_a_name_is_the_same_person(office: HttpOffice, typed: str) -> None:
    office.tokens["typed"] = sign_in(office, typed, "demo").json["token"]
    assert office.get("typed", f"{V1}/me").json["username"] == "finance"
    with pytest.raises(UserExists):
        office.service.credentials.add_user(typed, "demo")


def test_a_closed_user_is_out_at_once_and_the_name_stays_taken(office: HttpOffice) -> None:
    users = office.service.credentials
    users.close_user("Reviewer")
    assert office.get("reviewer", f"{V1}/me").status_code == 401
    assert sign_in(office, "reviewer", "demo").status_code == sign_in(office, "reviewer", "").status_code == 401
    assert (users.has_user("reviewer"), users.knows("reviewer")) == (False, True)
    with pytest.raises(UserExists):
        users.add_user("reviewer", "demo")
    with pytest.raises(ValueError, match="no user"):
        users.close_user("stranger")
    users.set_password("reviewer", "again")
    assert sign_in(office, "reviewer", "again").status_code == 201


def test_a_file_of_the_release_before_keeps_its_users(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "credentials.sqlite"
    store = Credentials(path, clock, FAST)
    store.add_user("somebody", "demo")
    store.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE failures; CREATE TABLE failures (username TEXT, failed_at INTEGER); PRAGMA user_version = 1;"
    )
    connection.close()
    store = Credentials(path, clock, FAST)
    assert store.verify("somebody", "demo", address="127.0.0.1")
    store.close()


@pytest.mark.parametrize(
    "username", ["", "a/b", "a b", "x" * 61, "system", "SYSTEM", "名\u200b", "fin\u0430nce", "a@b"]
)
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


def test_a_full_disk_is_named_as_the_reason_why_nobody_can_be_added(tmp_path: Path, clock: SetClock) -> None:
    kept = Credentials(tmp_path / "credentials.sqlite", clock, hasher=FAST)
    kept._connection.execute("PRAGMA max_page_count = 1")  # which is no fewer than it has

    def add_many() -> None:
        for number in range(10_000):
            kept.add_user(f"user{number}", "password")

    with pytest.raises(Unavailable, match="disk that holds the credentials is full"):
        add_many()
    kept.close()
