"""A policy as the API shows it: its rules and what they ask for, and the whole text with its numbers and readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from api.rest import fields
from api.rest.language import said
from api.rest.readings import ReadingSchema, reading_body
from api.rest.schema import Schema
from ledger.calendar import add_days
from ledger.policy.model import EvidenceKind, Funding, Policy, Review, Rule
from ledger.policy.registry import PolicyFile
from ledger.policy.schema import SHAPES
from ledger.policy.terms import Kind
from projections.policy_numbers import (
    Number,
    evidence_numbers,
    header_numbers,
    limit_numbers,
    rule_numbers,
)


class ParticularSchema(Schema):
    name = fields.Words(required=True)
    kind = fields.Choice(Kind, required=True)
    label = fields.Words(required=True)
    required = fields.Flag(required=True)


class RuleSchema(Schema):
    id = fields.Words(required=True)
    article = fields.Words(required=True)
    name = fields.Words(required=True)
    item = fields.Words(required=True, metadata={"description": "what an item of this rule is"})
    limit = fields.Words(required=True, allow_none=True, metadata={"description": "the yearly limit it draws on"})
    particulars = fields.Many(fields.Nested(ParticularSchema), required=True)


class PolicySummarySchema(Schema):
    id = fields.Words(required=True)
    version = fields.Whole(required=True, least=1)
    number = fields.Words(required=True, metadata={"description": "文号"})
    title = fields.Words(required=True)
    sha256 = fields.Words(required=True)
    valid_from = fields.Day(required=True)
    valid_until = fields.Day(required=True, metadata={"description": "the last day"})


class NumberSchema(Schema):
    """A value that decides about money, and where it comes from: an article (``cite``), a reading, or both."""

    key = fields.Words(
        required=True, metadata={"description": "its place in the policy file", "examples": ['rules."5.2".rate']}
    )
    clause = fields.Words(required=True)
    label = fields.Words(required=True)
    text = fields.Words(
        required=True, metadata={"description": "as the policy writes it", "examples": ["500万元", "40%"]}
    )
    cite = fields.Words(required=True, allow_none=True)
    reading = fields.Words(required=True, allow_none=True)
    answer = fields.Words(
        required=True, allow_none=True, metadata={"description": "where the value is the reading's: what it means"}
    )


class ArticleSchema(Schema):
    number = fields.Words(required=True)
    name = fields.Words(required=True, metadata={"description": "in our own words"})
    funding = fields.Choice(Funding, required=True)
    rules = fields.Many(fields.Words(), required=True)
    readings = fields.Many(fields.Words(), required=True, metadata={"description": "its open questions"})


class StageNameSchema(Schema):
    name = fields.Words(required=True)
    label = fields.Words(required=True)


class EvidenceKindSchema(Schema):
    kind = fields.Choice(EvidenceKind, required=True)
    numbers = fields.Many(fields.Nested(NumberSchema), required=True)


class YearlyLimitSchema(Schema):
    name = fields.Words(required=True)
    label = fields.Words(required=True)
    clause = fields.Words(required=True)
    rules = fields.Many(fields.Words(), required=True, metadata={"description": "that draw on it together"})
    numbers = fields.Many(fields.Nested(NumberSchema), required=True)


class RefusedWhenSchema(Schema):
    flag = fields.Words(required=True)
    code = fields.Words(required=True)
    clause = fields.Words(required=True)
    because = fields.Words(required=True)


class RuleTextSchema(RuleSchema):
    shape = fields.Words(required=True, metadata={"enum": list(SHAPES)})
    beneficiary = fields.Words(required=True)
    condition = fields.Words(required=True)
    stage = fields.Words(required=True)
    review = fields.Choice(Review, required=True)
    refused_when = fields.Many(fields.Nested(RefusedWhenSchema), required=True)
    numbers = fields.Many(fields.Nested(NumberSchema), required=True)
    readings = fields.Many(fields.Words(), required=True, metadata={"description": "open questions that it goes by"})


class PolicyTextSchema(PolicySummarySchema):
    versions = fields.Many(fields.Whole(), required=True)
    interpreted_by = fields.Words(required=True)
    read_on = fields.Day(required=True, metadata={"description": "the day for which the readings are shown"})
    numbers = fields.Many(fields.Nested(NumberSchema), required=True, metadata={"description": "of the whole policy"})
    articles = fields.Many(fields.Nested(ArticleSchema), required=True)
    stages = fields.Many(fields.Nested(StageNameSchema), required=True)
    evidence = fields.Many(fields.Nested(EvidenceKindSchema), required=True)
    limits = fields.Many(fields.Nested(YearlyLimitSchema), required=True)
    rules = fields.Many(fields.Nested(RuleTextSchema), required=True)
    readings = fields.Many(fields.Nested(ReadingSchema), required=True)


def summary_body(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "version": policy.version,
        "number": policy.number,
        "title": policy.title,
        "sha256": policy.sha256,
        "valid_from": policy.validity.start,
        "valid_until": add_days(policy.validity.end, -1),
    }


def rule_body(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "article": rule.article,
        "name": rule.name,
        "item": rule.item,
        "limit": None if rule.limit is None else rule.limit.name,
        "particulars": [
            {
                "name": particular.name,
                "kind": particular.kind,
                "label": particular.label,
                "required": particular.required,
            }
            for particular in rule.particulars.values()
        ],
    }


def policy_text_body(policy: Policy, file: PolicyFile, *, versions: Sequence[int], read_on: date) -> dict[str, Any]:
    """``policy`` is the file's text as read on a day."""
    evidence, limits = evidence_numbers(file, policy), limit_numbers(file, policy)
    return {
        **summary_body(policy),
        "versions": versions,
        "interpreted_by": policy.interpreted_by,
        "read_on": read_on,
        "numbers": _number_bodies(header_numbers(file, policy)),
        "articles": [_article_body(policy, number) for number in policy.articles],
        "stages": [{"name": name, "label": label} for name, label in policy.stages.items()],
        "evidence": [{"kind": kind, "numbers": _number_bodies(evidence[kind])} for kind in policy.evidence],
        "limits": [
            {
                "name": limit.name,
                "label": limit.label,
                "clause": limit.clause,
                "rules": [rule.id for rule in policy.rules.values() if rule.limit == limit],
                "numbers": _number_bodies(limits[limit.name]),
            }
            for limit in policy.limits.values()
        ],
        "rules": _rule_texts(policy, file),
        "readings": [reading_body(reading) for reading in policy.readings.values()],
    }


def _article_body(policy: Policy, number: str) -> dict[str, Any]:
    article = policy.articles[number]
    return {
        "number": number,
        "name": article.name,
        "funding": article.funding,
        "rules": [rule.id for rule in policy.rules.values() if rule.article == number],
        "readings": [reading.id for reading in policy.readings.values() if reading.article == number],
    }


def _rule_texts(policy: Policy, file: PolicyFile) -> list[dict[str, Any]]:
    numbers = rule_numbers(file, policy)
    return [
        {
            **rule_body(rule),
            "shape": file.form.rules[rule.id]["shape"],
            "beneficiary": rule.beneficiary,
            "condition": rule.condition,
            "stage": rule.stage,
            "review": rule.review,
            "refused_when": [
                {"flag": bar.flag, "code": bar.code, "clause": bar.cite, "because": bar.because}
                for bar in rule.refused_when
            ],
            "numbers": _number_bodies(numbers[rule.id]),
            "readings": rule.readings,
        }
        for rule in policy.rules.values()
    ]


def _number_bodies(numbers: Iterable[Number]) -> list[dict[str, Any]]:
    return [
        {
            "key": number.key,
            "clause": number.clause,
            "label": said(number.label),
            "text": said(number.text),
            "cite": number.cite,
            "reading": number.reading,
            "answer": number.answer,
        }
        for number in numbers
    ]
