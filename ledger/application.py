"""The one door: the only way a fact enters the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ledger.attempt import Attempt, Outcome, Request
from ledger.calendar import Clock, business_date
from ledger.commands.command import Command
from ledger.commands.submit_application import claim_errors
from ledger.errors import LedgerError, Malformed, Refusal
from ledger.events import person_tag, pin_tag
from ledger.facts import ROLES, Means, RecordedFacts
from ledger.funded_elsewhere import refuse_funded_elsewhere
from ledger.guards import Projections
from ledger.idempotency import key_errors, request_digest
from ledger.identity import Entropy
from ledger.mapper import from_stored
from ledger.memory import Memory
from ledger.policy.registry import PolicyRegistry
from ledger.roles import Role
from ledger.rules import Claim, Determination, determine, read_particulars, require_in_force, require_plan_year
from ledger.scopes import item_key
from ledger.session import Snapshot, with_tag
from ledger.store.contract import LedgerStore
from ledger.store.rehearsal import RehearsalStore
from ledger.uscc import parse_uscc
from ledger.writer import BATCH_MAX, Writer

__all__ = ["FundingLedger", "Instruction", "Outcome"]


@dataclass(frozen=True, slots=True)
class Instruction:
    """A command as somebody gives it; the fields are those of :meth:`FundingLedger.execute`."""

    command: Command
    actor: str
    key: str
    expected_position: int | None = None


class FundingLedger:
    """Takes commands, decides them on the facts, and records what was decided.

    ``store`` is an event store (:mod:`ledger.store.contract`); ``projections`` the folds and guards composed by
    ``projections.compose``; ``clock`` and ``entropy`` the only sources of time and chance. Safe for many threads; safe
    for many processes on one store.
    """

    def __init__(
        self,
        store: LedgerStore,
        policies: PolicyRegistry,
        projections: Projections,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.policies = policies
        self._store = store
        self._means = Means(policies, projections, clock, entropy)
        self._writer = Writer(store, Memory())

    def execute(self, command: Command, *, actor: str, key: str, expected_position: int | None = None) -> Outcome:
        """Decide a command and record what follows from it; returns when it is durable.

        ``actor`` is the user name of the person who gives it; ``key`` their idempotency key: the same key and command
        give the same outcome again, recorded refusals included, however often and after whatever crash.
        ``expected_position`` is the case's position as the caller last saw it.

        Raises any :class:`~ledger.errors.LedgerError` but a fault.
        """
        answer = self._writer.run(self._attempt(Instruction(command, actor, key, expected_position)))
        if isinstance(answer, Refusal):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    def execute_many(self, instructions: Iterable[Instruction]) -> Iterator[Outcome | Exception]:
        """Decide many instructions in their order, many to a commit; an answer comes when what it tells is durable.

        For each instruction, in order, what :meth:`execute` would return or raise; one that fails fails alone. Each batch
        is taken from ``instructions`` when the answers to the one before have been given. Other clients are served between.
        """
        coming = iter(instructions)
        while batch := list(islice(coming, BATCH_MAX)):
            answers: list[Outcome | Exception | None] = []
            attempts: list[Attempt] = []
            for instruction in batch:
                try:
                    attempts.append(self._attempt(instruction))
                    answers.append(None)
                except LedgerError as error:
                    answers.append(error)
            decided = iter(self._writer.run_many(attempts))
            for known in answers:
                answer = known or next(decided)
                assert isinstance(answer, Outcome | Exception)
                yield answer

    def rehearsal(self) -> FundingLedger:
        """A ledger that begins where this one stands now, and decides as this one would; what it records is gone with it.

        One decision sees what those before it recorded, as at the real door. It holds no lock, and nobody up.
        """
        means = self._means
        return FundingLedger(RehearsalStore(self._store), self.policies, means.projections, means.clock, means.entropy)

    def _attempt(self, given: Instruction) -> Attempt:
        command = given.command
        if errors := [*key_errors(given.key), *command.field_errors(business_date(self._means.clock()))]:
            raise Malformed(errors)
        digest = request_digest(command)
        return Attempt(self._means, Request(command, given.actor, given.key, digest, given.expected_position))

    def quote(
        self,
        policy_id: str,
        rule_id: str,
        enterprise: str,
        item: str,
        particulars: Mapping[str, Any],
        cap_year: int | None = None,
    ) -> Determination:
        """What a claim would be granted now, by the same code as the real decision, recording nothing.

        Raises :class:`~ledger.errors.Malformed`, :class:`~ledger.errors.NotFound` for an unknown policy, and any
        :class:`~ledger.errors.Refusal` that the determination would meet.
        """
        if errors := list(claim_errors(enterprise, item)):
            raise Malformed(errors)
        facts = RecordedFacts(self._means, Snapshot(self._store), business_date(self._means.clock()))
        policy = facts.policy(policy_id)
        rule = policy.rule(rule_id)
        stated = read_particulars(rule, particulars)
        code = parse_uscc(enterprise)
        require_in_force(policy, rule, code, facts.today, facts.standing())
        year = facts.today.year if cap_year is None else cap_year
        require_plan_year(policy, rule, code, year, facts.standing())
        claim = Claim(
            policy=policy,
            rule=rule,
            enterprise=code,
            item=item_key(item),
            cap_year=year,
            particulars=stated,
            applied_on=facts.today,
        )
        refuse_funded_elsewhere(claim, (), facts)
        return determine(claim, facts.standing())

    def check_policies(self) -> None:
        """Raise :class:`~ledger.errors.PolicyFault` where the text of a version changed after cases began under it.

        Asked when a service starts: under a changed text nothing may be shown or decided.
        """
        for policy_id in self.policies.ids:
            for version in self.policies.versions(policy_id):
                for stored in self._store.read(with_tag(pin_tag(policy_id, version)), limit=1):
                    pin = from_stored(stored).envelope.policy
                    assert pin is not None, "an application names its policy"
                    self.policies.check_pin(pin.policy_id, pin.version, pin.sha256)

    def roles_of(self, person: str) -> frozenset[Role]:
        """The roles a person holds now."""
        return Snapshot(self._store).look(ROLES, person_tag(person))
