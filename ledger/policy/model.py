"""A policy as the office reads it: articles, rules, limits and readings. Plain frozen data; no arithmetic.

A :class:`Policy` is one file of policy text, read as of one day: where the office has switched a reading, the same text
gives another :class:`Policy` from that day on (:meth:`ledger.policy.registry.PolicyRegistry.get`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from ledger.calendar import Window
from ledger.causes import Cause
from ledger.errors import Refusal, Text, UnknownName
from ledger.policy.citation import article_cited
from ledger.policy.terms import Cited, CostDates, Particular, Terms


class Funding(StrEnum):
    """What an article says about money."""

    RULED = "ruled"
    """It grants money, and this file holds its rules."""
    NONE = "none"
    """It grants no money."""
    PENDING = "pending"
    """It grants money, and its rules are not in this file yet."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article: ``number`` as the text counts (六), ``name`` in our own words."""

    number: str
    name: str
    funding: Funding


class FollowedBy(StrEnum):
    """Who goes by a reading that no number takes."""

    REVIEWER = "reviewer"
    """Who examines the application, and what it states."""
    PROCESS = "process"
    """Whoever takes the step that it is about: a notice, a plan, a recovery."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An open question of the text, and how the office reads it on the day this policy was read for.

    ``switchable``: the code takes ``value``, or people go by it (``followed_by``), and the office may switch it to another
    of ``options`` (value → what it means), or, where there are none, to any value that fits. ``alternatives`` tell in words
    how else the text could be read, and ``fixed`` why this version cannot be switched to them.
    """

    id: str
    article: str
    question: str
    answer: str
    value: str
    alternatives: tuple[str, ...]
    options: Mapping[str, str]
    fixed: str | None
    switchable: bool
    followed_by: FollowedBy | None
    decided_by: str
    since: date
    why: str
    document: str | None


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The office's decision to read an open question so from ``since`` on (口径解释), beside the file's own text.

    ``position`` is where the log holds it; 0 for one that is only tried.
    """

    version: int
    reading: str
    value: str
    since: date
    decided_by: str
    document: str
    why: str
    position: int = 0


class CapYear(StrEnum):
    """Which year a yearly limit counts in."""

    PLAN = "plan-year"
    """The year of the funding plan that approves the award: the claim's ``cap_year``."""
    PURCHASE = "purchase-year"
    """The year stated in the claim: the rule's one particular of kind ``year``."""
    EVENT = "event-year"
    """The year of the event that the claim is for, a certificate or the end of a cost: the rule's ``event_day``."""
    BENEFIT = "benefit-year"
    """Twelve months from the anchor of the enterprise's window."""
    CALENDAR = "calendar-year"
    """The calendar year that a part of the enterprise's window lies in."""


BY_WINDOW = (CapYear.BENEFIT, CapYear.CALENDAR)
"""Limits counted so need a window, whose months tell the year."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A yearly ceiling of one enterprise over all the rules that name it, e.g. ``C5``."""

    name: str
    label: str
    clause: str
    ceiling_fen: Cited[int]
    cap_year: Cited[CapYear]


@dataclass(frozen=True, slots=True)
class CapBonus:
    """How much higher the item's ceiling is where the flag ``when`` holds. Never money of its own.

    ``raises_limit``: the yearly limit is then as much higher (reading B6).
    """

    amount_fen: Cited[int]
    when: str
    raises_limit: Cited[bool]


@dataclass(frozen=True, slots=True)
class RefusedWhen:
    """A flag that bars the claim. ``code`` is the refusal's code, ``because`` tells a clerk why, in Chinese."""

    flag: str
    code: str
    cite: str
    because: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One instalment: its share of the award, and the event that makes it due."""

    share: Fraction
    when: str


@dataclass(frozen=True, slots=True)
class Stages:
    """Payment in instalments. ``required``: an award is paid so; else it may be paid at once. Shares sum to 1.

    ``settled``: the last stage settles the award on the audited cost (reading B29).
    """

    required: bool
    stages: tuple[Stage, ...]
    settled: Cited[bool]
    cite: str | None
    reading: str | None


class ItemSpan(StrEnum):
    """Over which time an item's ceiling counts."""

    WHOLE = "whole-project"
    YEAR = "per-year"


class OncePerItem(StrEnum):
    """How often one item is funded under a rule, whatever its ceiling leaves."""

    NO = "no"
    """As often as its ceiling has room."""
    EVER = "ever"
    """Once."""
    YEAR = "year"
    """Once in each year of the rule's yearly limit."""


class EvidenceKind(StrEnum):
    """What a claim is proved with, and what may therefore not prove two claims."""

    INVOICE = "invoice"
    CONTRACT = "contract"
    CERTIFICATE = "certificate"
    COST_LINE = "cost-line"
    AUDIT_REPORT = "audit-report"


class EvidenceUse(StrEnum):
    """How often one piece of evidence may stand under live applications."""

    ONCE = "once"
    ONCE_PER_STAGE = "once-per-stage"


class Stacking(StrEnum):
    """What other public money for the same matter does to a claim."""

    CHOOSE_ONE = "choose-one"
    """It blocks the claim, until the office decides on a way out: return it, or top it up to what is due here."""
    STACKABLE = "stackable"
    """It is allowed; all public money together stays within the cost."""


class Review(StrEnum):
    """How applications under a rule are examined, unless the application round says otherwise."""

    ENTITLED = "entitled"
    """核准类: who meets the conditions is funded."""
    SCORED = "scored"
    """评审类: experts score and rank."""
    SINGLE = "single"
    """专项类: each case is decided on its own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One funding rule. ``item`` says what an item of this rule is (a certificate, a lease, a project).

    ``stage`` names the stage of a product's life that it funds. ``item_cap_fen`` counts over all awards for one item (or
    those of a year: ``item_span``); ``once_per_item`` allows a single award for it, or for each of its years, and
    ``remainder_carried`` another one for what a yearly limit cut off. ``item_shared``: an item is a number of a public
    register, and one whoever claims for it; else a name that an enterprise gives, and its own. ``event_day`` names the date
    that an ``event-year`` goes by. Evidence of the kinds ``evidence_again`` may be given again for the same item, for
    another period. ``readings`` are those that the rule and its numbers name; its limit has its own.
    """

    id: str
    article: str
    name: str
    beneficiary: str
    condition: str
    item: str
    stage: str
    review: Review
    particulars: Mapping[str, Particular]
    terms: Terms
    item_cap_fen: Cited[int] | None
    item_cap_bonus: CapBonus | None
    item_span: Cited[ItemSpan] | None
    once_per_item: Cited[OncePerItem] | None
    item_shared: Cited[bool] | None
    remainder_carried: Cited[bool] | None
    limit: Limit | None
    event_day: str | None
    refused_when: tuple[RefusedWhen, ...]
    audited: Cited[bool] | None
    stages: Stages | None
    cost_dates: CostDates | None
    evidence_again: Cited[frozenset[EvidenceKind]] | None
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """Which text a decision was taken under."""

    policy_id: str
    version: int
    sha256: str


_CITATION_SHOWN_MOST = 32


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy, as read on a day. ``sha256`` is that of the file's bytes, in lower-case hex.

    ``number`` is the document's 文号; ``validity`` half-open; ``rounding_fen`` 100 (whole yuan) or 1. ``restoring_causes``
    are the :class:`~ledger.causes.Cause` for which limits get money back; ``windows_run_on``: windows recognised within the
    validity are funded to their end; ``funded_from_start``: no period or year is funded that lies before the validity.
    ``plan_years_ahead``: how many years after that of its decision an award's funding plan may be at most. ``stages`` are
    the names of stages, with what people call them.
    """

    id: str
    version: int
    number: str
    title: str
    interpreted_by: str
    validity: Window
    rounding_fen: Cited[int]
    restoring_causes: Cited[frozenset[Cause]]
    windows_run_on: Cited[bool]
    funded_from_start: Cited[bool]
    stacking: Cited[Stacking]
    plan_years_ahead: Cited[int]
    articles: Mapping[str, Article]
    stages: Mapping[str, str]
    evidence: Mapping[EvidenceKind, Cited[EvidenceUse]]
    limits: Mapping[str, Limit]
    rules: Mapping[str, Rule]
    readings: Mapping[str, Reading]
    sha256: str

    @property
    def pin(self) -> Pin:
        return Pin(self.id, self.version, self.sha256)

    def rule(self, rule_id: str) -> Rule:
        """The rule so numbered.

        Raises ``Refusal`` ``no-money-rule`` (with the clause) where an article without money is cited, in any of the
        ways people cite (6, 6.1, 六, 第六条, （六）), and ``UnknownName`` ``unknown-rule`` for anything else.
        """
        if (rule := self.rules.get(rule_id)) is not None:
            return rule
        number = article_cited(rule_id)
        article = self.articles.get(number) if number else None
        if article is not None and article.funding is Funding.NONE:
            raise _no_money(article)
        raise self._unknown(rule_id, article)

    def _unknown(self, rule_id: str, article: Article | None) -> UnknownName:
        known, cited = "、".join(self.rules), rule_id[:_CITATION_SHOWN_MOST]
        zh, en = f"没有编号为“{cited}”的资助规则", f"there is no funding rule {cited!r}"
        if article is not None and article.funding is Funding.PENDING:
            zh, en = (
                f"第{article.number}条的资助规则尚未录入",
                f"the rules of article {article.number} are not entered yet",
            )
        return UnknownName(
            "rule",
            "unknown-rule",
            Text(zh=f"{zh}；可用的规则：{known}", en=f"{en}; the rules are: {known}"),
            clause=article.number if article else None,
        )


def _no_money(article: Article) -> Refusal:
    return Refusal(
        "no-money-rule",
        Text(
            zh=f"本条无资金资助条款：第{article.number}条（{article.name}）。请改引有资助条款的规则。",
            en=f"Article {article.number} “{article.name}” grants no money. Cite a rule that does.",
        ),
        clause=article.number,
    )
