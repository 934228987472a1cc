"""One person has one name, however it is typed: else the same hand could request and approve."""

from __future__ import annotations

import pytest

from ledger.commands.grant_role import GrantRole
from ledger.commands.revoke_role import RevokeRole
from ledger.errors import Malformed
from ledger.people import PERSON_LENGTH_MAX, person_name
from ledger.roles import SYSTEM, Role
from tests.office import Office


@pytest.mark.parametrize("typed", ["wang.lan", "Wang.Lan", "ＷＡＮＧ．ＬＡＮ", "wang.LAN"])
def test_another_way_of_typing_a_name_is_another_person(typed: str) -> None:
    assert person_name(typed) == "wang.lan"


@pytest.mark.parametrize("name", ["finance2", "王兰", "王兰-2", "𠮷田", "a" * PERSON_LENGTH_MAX])
def test_a_name_that_people_have_is_refused(name: str) -> None:
    assert person_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "a/b", "a@b", "fin\u0430nce", "ﬁnance\u200b", "王\u3000兰", "αdmin", "a" * 61, "a\n", "é", "١"],
)
def test_a_name_that_looks_like_another_is_taken(name: str) -> None:
    with pytest.raises(ValueError, match="user name"):
        person_name(name)


@pytest.mark.parametrize("name", ["system", "SYSTEM", "Ｓｙｓｔｅｍ", "ſystem"])
def test_a_person_can_be_named_like_the_machine_s_operator(name: str) -> None:
    with pytest.raises(ValueError, match="no person's name"):
        person_name(name)


def test_a_role_is_given_to_another_way_of_typing_the_name(office: Office) -> None:
    office.give(GrantRole(person="Ｗang", role="auditor"), SYSTEM)
    assert office.ledger.roles_of("wang") == {Role.AUDITOR}
    office.give(RevokeRole(person="WANG", role="auditor"), SYSTEM)
    assert office.ledger.roles_of("wang") == set()


@pytest.mark.parametrize("command", [GrantRole, RevokeRole])
@pytest.mark.parametrize("name", ["SYSTEM", "fin\u0430nce", ""])
def test_a_role_is_given_to_what_can_be_no_name(office: Office, command: type, name: str) -> None:
    with pytest.raises(Malformed) as raised:
        office.give(command(person=name, role="auditor"), SYSTEM)
    assert [error.field for error in raised.value.errors] == ["person"]
