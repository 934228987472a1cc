"""From the log to rows: every step closes the row that held until then and opens the next one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from ledger.case_fold import CaseFold
from ledger.casefile import CaseFile
from ledger.events import ApplicationSubmitted, CaseEvent, RoleGranted, RoleRevoked, case_tag
from ledger.mapper import Recorded
from projections.rows import run_for_each
from projections.tables import STILL, cases, instant_text, policies, positions, roles

Row = dict[str, Any]
History = Callable[[str], Iterable[Recorded]]
"""Gives every event recorded with a tag, in order."""

_FOLD: Final = CaseFold()

_OPEN: Final = insert(cases)
_PLACE: Final = insert(positions)
_CLOSE: Final = (
    update(cases).where(cases.c.from_position == bindparam("since")).values(until_position=bindparam("until"))
)

_END_ROLE: Final = (
    update(roles)
    .where(
        roles.c.person == bindparam("of_person"),
        roles.c.role == bindparam("of_role"),
        roles.c.until_position == STILL,
    )
    .values(until_position=bindparam("until"))
)


def version_of(case: CaseFile) -> Row:
    """What the views keep of a case as it stands after its last step."""
    assert case.policy is not None, "every case is made under a policy"
    approval, determination, awarded_fen = case.approval, case.determination, case.awarded_fen
    return {
        "case_number": case.number,
        "from_position": case.position,
        "until_position": STILL,
        "state": case.state.value,
        "enterprise": case.enterprise,
        "enterprise_name": case.enterprise_name,
        "policy": case.policy.policy_id,
        "rule": case.rule,
        "item": case.item,
        "acceptance_number": case.acceptance_number,
        "submitted_on": case.submitted_on,
        "approved_on": case.approved_on,
        "cap_year": approval.cap_year if approval else None,
        "determined_fen": determination.amount_fen if determination else 0,
        "awarded_fen": awarded_fen,
        "settled_fen": case.settled_fen,
        "payable_fen": awarded_fen - case.settled_fen,
        "recovered_fen": case.recovered_fen,
        "outstanding_fen": sum(recovery.outstanding_fen for recovery in case.recoveries.values()),
    }


@dataclass(slots=True)
class Batch:
    """Rows that some events in a row lead to. ``closed`` are rows written earlier that now hold no longer; ``staff``
    are the grants and revocations, which are few and written one by one; ``pinned`` the policies that cases began under.
    """

    opened: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)
    staff: list[Recorded] = field(default_factory=list)
    pinned: set[tuple[str, int]] = field(default_factory=set)

    def write(self, connection: Connection) -> None:
        if self.closed:
            run_for_each(connection, _CLOSE, self.closed)
        if self.opened:
            run_for_each(connection, _OPEN, self.opened)
        if self.positions:
            run_for_each(connection, _PLACE, self.positions)
        for recorded in self.staff:
            _write_role(connection, recorded)
        if self.pinned:
            known = {(policy_id, version) for policy_id, version in connection.execute(select(policies))}
            for policy_id, version in sorted(self.pinned - known):
                connection.execute(insert(policies), {"policy": policy_id, "version": version})


def _write_role(connection: Connection, recorded: Recorded) -> None:
    """A grant of a role that is held already begins it anew, by whom and on the day that the new grant says."""
    event, envelope = recorded.event, recorded.envelope
    assert isinstance(event, RoleGranted | RoleRevoked)
    ended = {"of_person": event.person, "of_role": event.role, "until": recorded.position}
    connection.execute(_END_ROLE, ended)
    if isinstance(event, RoleGranted):
        begun = {"person": event.person, "role": event.role, "from_position": recorded.position}
        by = {"until_position": STILL, "granted_by": envelope.actor, "granted_on": envelope.effective_on}
        connection.execute(insert(roles), begun | by)


class Versions:
    """Turns events, taken in the order of the log, into rows.

    Keeps the case files it met last, at most ``kept_most``; one that was let go is folded again from its history.
    """

    def __init__(self, history: History, kept_most: int) -> None:
        self._history = history
        self._kept_most = kept_most
        self._kept: OrderedDict[str, CaseFile] = OrderedDict()

    def forget(self) -> None:
        """Let go of everything: after a failure, or where others carried the views on."""
        self._kept.clear()

    def batch(self, events: Iterable[Recorded]) -> Batch:
        """The rows for ``events``, which follow on the last ones in the order of the log."""
        batch, open_rows = Batch(), dict[str, Row]()
        for recorded in events:
            recorded_at = instant_text(recorded.envelope.recorded_at)
            batch.positions.append({"position": recorded.position, "recorded_at": recorded_at})
            if isinstance(recorded.event, CaseEvent):
                self._step(recorded, recorded.event, batch, open_rows)
            elif isinstance(recorded.event, RoleGranted | RoleRevoked):
                batch.staff.append(recorded)
        return batch

    def _step(self, recorded: Recorded, event: CaseEvent, batch: Batch, open_rows: dict[str, Row]) -> None:
        case = self._before(recorded, event)
        since = case.position
        case = _FOLD.apply(case, recorded)
        if isinstance(event, ApplicationSubmitted) and case.policy is not None:
            batch.pinned.add((case.policy.policy_id, case.policy.version))
        assert case.position == recorded.position, f"{recorded.type_name} changes no case"
        if (row := open_rows.get(event.case)) is not None:
            row["until_position"] = recorded.position
        elif since:
            batch.closed.append({"since": since, "until": recorded.position})
        open_rows[event.case] = version_of(case)
        batch.opened.append(open_rows[event.case])

    def _before(self, recorded: Recorded, event: CaseEvent) -> CaseFile:
        """The case as it stood before this event."""
        case = self._kept.pop(event.case, None)
        if case is None:
            case = _FOLD.start(case_tag(event.case))
            if not isinstance(event, ApplicationSubmitted):
                for earlier in self._history(case_tag(event.case)):
                    if earlier.position < recorded.position:
                        case = _FOLD.apply(case, earlier)
        self._kept[event.case] = case
        if len(self._kept) > self._kept_most:
            self._kept.popitem(last=False)
        return case
