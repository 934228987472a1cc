"""The form of a policy file, table by table. Strict: a key that is not named here is an error.

Every value that decides about money is written as a table that says where it comes from::

    rate = { value = "40%", cite = "五" }                          # the text says so
    once_per_item = { value = true, cite = "五", reading = "B22" }  # the text, as the office reads it
    rounding = { reading = "B27" }                                 # the value is the reading's

Amounts are written as policies write them (300万元), rates as ``40%``, lengths of time as ``3年`` or ``36个月``; TOML's
floats occur nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema, fields

from ledger.causes import Cause
from ledger.money import parse_rate
from ledger.policy.model import (
    CapYear,
    EvidenceKind,
    EvidenceUse,
    FollowedBy,
    Funding,
    ItemSpan,
    OncePerItem,
    Review,
    Stacking,
)
from ledger.policy.terms import AreaCapOn, Bills, Claimable, Kind, PeriodSplit, RentBasis
from ledger.policy.values import (
    CitedField,
    Named,
    Parsed,
    Table,
    meaning,
    one_of,
    parse_bonus,
    parse_ceiling,
    parse_code,
    parse_day,
    parse_days,
    parse_default,
    parse_flag,
    parse_least,
    parse_months,
    parse_policy_id,
    parse_rounding,
    parse_toml_date,
    parse_version,
    parse_whole,
    parse_word,
    some_of,
    word,
    words,
)


class HeaderSchema(Schema):
    """``[policy]``"""

    id = Parsed(parse_policy_id)
    version = Parsed(parse_version)
    number = word()
    title = word()
    interpreted_by = word()
    effective_from = CitedField(parse_day, required=True)
    validity = CitedField(parse_months, required=True)
    rounding = CitedField(parse_rounding, required=True)
    restoring_causes = CitedField(some_of(Cause), required=True)
    recognised_windows = CitedField(meaning(run_on=True, end=False), required=True)
    earliest_period = CitedField(meaning(from_start=True, any_time=False), required=True)
    other_funding = CitedField(one_of(Stacking), required=True)
    plan_years_ahead = CitedField(parse_whole, required=True)


class ArticleSchema(Schema):
    """``[articles]``: ``"六" = { name = "…", funding = "none" }``"""

    name = word()
    funding = Parsed(one_of(Funding))


class StageNameSchema(Schema):
    """``[stages]``: ``registration = { label = "…", clause = "五" }``"""

    label = word()
    clause = word()


class EvidenceSchema(Schema):
    """``[evidence]``: ``invoice = { used = { value = "once", reading = "B9" }, clause = "附则" }``"""

    used = CitedField(one_of(EvidenceUse), required=True)
    clause = word()


class SwitchSchema(Schema):
    """One later change of a reading: ``[[readings.B13.switched]]``"""

    value = word()
    since = Parsed(parse_toml_date)
    decided_by = word()
    document = word()
    why = word()


class ReadingSchema(Schema):
    """``[readings.B13]``"""

    article = word()
    question = word()
    answer = word()
    value = word()
    alternatives = words(required=False)
    options = Named(parse_word, required=False)
    fixed = word(required=False)
    followed_by = Parsed(one_of(FollowedBy), required=False)
    decided_by = word()
    since = Parsed(parse_toml_date)
    why = word()
    document = word(required=False)
    switched = fields.List(Table(SwitchSchema))


class LimitSchema(Schema):
    """``[limits.C5]``"""

    label = word()
    clause = word()
    ceiling = CitedField(parse_ceiling, required=True)
    cap_year = CitedField(one_of(CapYear), required=True)


class ParticularSchema(Schema):
    """``rd_cost = { kind = "money", label = "…" }``; required unless ``optional`` or with a ``default``."""

    kind = Parsed(one_of(Kind))
    label = word()
    optional = Parsed(parse_flag, required=False)
    default = Parsed(parse_default, required=False)


class RefusedWhenSchema(Schema):
    flag = word()
    code = Parsed(parse_code)
    cite = word()
    because = word()


class StageSchema(Schema):
    share = Parsed(parse_rate)
    when = word()


class StagesSchema(Schema):
    required = Parsed(parse_flag)
    cite = word(required=False)
    reading = word(required=False)
    settlement = CitedField(meaning(approved_then_audited=True, approved_only=False), required=True)
    parts = fields.List(Table(StageSchema), required=True)


class WindowSchema(Schema):
    length = CitedField(parse_months, required=True)
    anchor = word()
    extended_by = word(required=False)
    since = word()
    until = word()
    claimable = CitedField(one_of(Claimable), required=True)


class RentSchema(Schema):
    benchmark = word()
    actual = word()
    area = word()
    basis = CitedField(one_of(RentBasis), required=True)


class CostSchema(Schema):
    of = word()
    paid_on = word(required=False)
    bills = CitedField(one_of(Bills))
    split = CitedField(one_of(PeriodSplit), required=True)


class CostDatesSchema(Schema):
    """``[rules."5.2".cost_dates]``: which optional particulars tell when a cost arose, and when it must have."""

    since = word(required=False)
    until = word(required=False)
    paid_until = word(required=False)
    event = word(required=False)
    before_application = CitedField(parse_months)
    event_before_application = CitedField(parse_months)
    tail = CitedField(parse_days)
    length = CitedField(parse_months)


class TierSchema(Schema):
    at_least = Parsed(parse_least)
    ceiling = Parsed(parse_ceiling)
    cite = word()


class RuleSchema(Schema):
    """``[rules."5.2"]``: what all shapes share."""

    article = word()
    name = word()
    beneficiary = word()
    condition = word()
    item = word()
    stage = word()
    shape = word()
    review = Parsed(one_of(Review))
    readings = words(required=False)
    particulars = Named(ParticularSchema)
    limit = word(required=False)
    event_day = word(required=False)
    refused_when = fields.List(Table(RefusedWhenSchema))
    audited = CitedField(parse_flag)
    stages = Table(StagesSchema)
    cost_dates = Table(CostDatesSchema)
    evidence_again = CitedField(some_of(EvidenceKind))


def _parse_once(value: object) -> OncePerItem:
    """``true``, ``false``, or ``"year"``: once in each year of the rule's yearly limit."""
    if value == OncePerItem.YEAR.value:
        return OncePerItem.YEAR
    return OncePerItem.EVER if parse_flag(value) else OncePerItem.NO


class ItemCapSchema(RuleSchema):
    """A rule that may set a ceiling for one item."""

    item_cap = CitedField(parse_ceiling)
    item_cap_bonus = CitedField(parse_bonus, beside=("when",))
    bonus_raises_limit = CitedField(meaning(raised=True, not_raised=False))
    item_cap_per = CitedField(one_of(ItemSpan))
    once_per_item = CitedField(_parse_once)
    item_shared = CitedField(parse_flag)
    remainder = CitedField(meaning(carried_over=True, lapses=False))


class RateSchema(ItemCapSchema):
    rate = CitedField(parse_rate, required=True)
    basis = word()


class RateAreaSchema(RateSchema):
    area_cap = CitedField(parse_ceiling, beside=("per",), required=True)
    area_cap_on = CitedField(one_of(AreaCapOn), required=True)


class WindowedRateSchema(RuleSchema):
    rate = CitedField(parse_rate, required=True)
    window = Table(WindowSchema, required=True)
    rent = Table(RentSchema)
    cost = Table(CostSchema)


class TierCeilingSchema(RuleSchema):
    count = word()
    proposed = word()
    tiers = fields.List(Table(TierSchema), required=True)
    at_least = CitedField(meaning(included=True, excluded=False), required=True)


class DiscretionaryCeilingSchema(ItemCapSchema):
    item_cap = CitedField(parse_ceiling, required=True)
    proposed = word()


SHAPES: Final[Mapping[str, type[RuleSchema]]] = {
    "rate": RateSchema,
    "rate-area": RateAreaSchema,
    "windowed-rate": WindowedRateSchema,
    "tier-ceiling": TierCeilingSchema,
    "discretionary-ceiling": DiscretionaryCeilingSchema,
}
TABLES: Final = ("policy", "articles", "stages", "evidence", "limits", "rules", "readings")
