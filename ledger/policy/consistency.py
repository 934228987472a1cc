"""Whether the entries of a policy agree with each other: gaps, overlaps, and ceilings that contradict."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from ledger.errors import Text
from ledger.policy.citation import SUPPLEMENT, chinese_numeral
from ledger.policy.findings import Findings
from ledger.policy.form import Form, key_of
from ledger.policy.model import BY_WINDOW, EvidenceKind, Funding, Policy, Reading, Rule
from ledger.policy.terms import TierCeiling, WindowedRate
from ledger.scopes import BUDGET, ITEM, WINDOW

_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*", re.ASCII)


def check(policy: Policy, form: Form, findings: Findings) -> None:
    """Note every contradiction and every gap between the entries that could be built."""
    _articles(form, findings)
    _funding(policy, form, findings)
    _limits_used(policy, form, findings)
    _matters(policy, form, findings)
    _names(policy, form, findings)
    _reserved(policy, findings)
    _switches(policy, form, findings)
    _items(policy, findings)
    _lengths(policy, findings)
    for rule in policy.rules.values():
        _tiers(rule, findings)
        _bounded(rule, findings)
        _ceilings(rule, findings)
        _windows(rule, findings)


def _bounded(rule: Rule, findings: Findings) -> None:
    """Money that no limit counts would be granted without end."""
    if rule.limit is None and rule.item_cap_fen is None and not isinstance(rule.terms, TierCeiling):
        text = Text(
            zh="既无单项上限又无年度限额，资助没有上限", en="a gap: neither an item cap nor a yearly limit bounds it"
        )
        findings.add(key_of("rules", rule.id, "item_cap"), rule.article, text)


def _reserved(policy: Policy, findings: Findings) -> None:
    """Names as they can be typed and stand in an address, and not those under which the ledger counts other things."""
    for rule in policy.rules.values():
        _name_spelt(key_of("rules", rule.id), rule.article, rule.id, findings)
    for name, limit in policy.limits.items():
        _name_spelt(key_of("limits", name), limit.clause, name, findings)
        if name in (ITEM, BUDGET, WINDOW) or name.startswith("tier"):
            text = Text(
                zh=f"“{name}”为账本保留的名称，请改名", en=f"{name!r} is a name of the ledger's own; use another"
            )
            findings.add(key_of("limits", name), limit.clause, text)


def _name_spelt(key: str, clause: str, name: str, findings: Findings) -> None:
    if _NAME.fullmatch(name) is None:
        text = Text(
            zh="名称只能用半角字母、数字、点和连字符，以字母或数字开头，如22.2、C22R",
            en="a name is letters, digits, dots and hyphens of plain ASCII, a letter or digit first, such as 22.2 or C22R",
        )
        findings.add(key, clause, text)


def _articles(form: Form, findings: Findings) -> None:
    numbers = sorted(form.named["articles"], key=len)
    expected = [chinese_numeral(n) for n in range(1, min(len(numbers), 99) + 1)]
    for number in expected:
        if number not in form.named["articles"]:
            findings.add(
                key_of("articles", number),
                number,
                Text(zh="条文编号不连续，缺此条", en="a gap: the article is missing"),
            )
    for number in numbers:
        if number not in expected:
            findings.add(
                key_of("articles", number),
                number,
                Text(zh="条文编号不连续或写法有误", en="not the next article number"),
            )


def _funding(policy: Policy, form: Form, findings: Findings) -> None:
    """An article that says it is ruled has a rule; one that says otherwise has none."""
    ruled = {rule.article for rule in policy.rules.values()} | {entry.get("article") for entry in form.rules.values()}
    for number, article in policy.articles.items():
        if article.funding is Funding.RULED and number not in ruled and not form.has_faulty_rules:
            text = Text(zh="标为ruled而没有规则", en="a gap: funding is ruled, and no rule carries it out")
            findings.add(key_of("articles", number, "funding"), number, text)
        if article.funding is not Funding.RULED and number in ruled:
            text = Text(
                zh=f"标为{article.funding.value}而有规则", en=f"funding is {article.funding.value}, and there is a rule"
            )
            findings.add(key_of("articles", number, "funding"), number, text)


def _limits_used(policy: Policy, form: Form, findings: Findings) -> None:
    used = {entry.get("limit") for entry in form.rules.values()}
    if form.has_faulty_rules:
        return
    for name, limit in policy.limits.items():
        if name not in used:
            findings.add(
                key_of("limits", name), limit.clause, Text(zh="没有规则使用此限额", en="no rule draws on this limit")
            )


def _matters(policy: Policy, form: Form, findings: Findings) -> None:
    """Each kind of evidence has its rule; each stage is that of some rule."""
    for kind in EvidenceKind:
        if kind.value not in form.named["evidence"]:
            findings.add(key_of("evidence", kind.value), SUPPLEMENT, Text(zh="缺少此项", en="missing"))
    used = {entry.get("stage") for entry in form.rules.values()}
    for name, entry in form.stages.items():
        if name not in used and not form.has_faulty_rules:
            text = Text(zh="没有规则属于此阶段", en="no rule funds this stage")
            findings.add(key_of("stages", name), entry["clause"], text)


def _items(policy: Policy, findings: Findings) -> None:
    """Rules that share a limit share its items: these are numbers of a register under all of them, or under none."""
    first: dict[str, Rule] = {}
    for rule in policy.rules.values():
        if rule.limit is None or rule.item_cap_fen is None:
            continue
        other = first.setdefault(rule.limit.name, rule)
        if _items_shared(other) is not _items_shared(rule):
            text = Text(
                zh=f"与规则{other.id}共用限额{rule.limit.name}，两者的item_shared应一致",
                en=f"the rule shares the limit {rule.limit.name} with {other.id}, and not what they say in item_shared",
            )
            findings.add(key_of("rules", rule.id, "item_shared"), rule.article, text)


def _items_shared(rule: Rule) -> bool:
    return rule.item_shared is not None and rule.item_shared.value


def _names(policy: Policy, form: Form, findings: Findings) -> None:
    """Two rules under one name, two limits or two stages under one label, overlap: an officer could not tell them apart."""
    _unique(findings, [(key_of("rules", r.id, "name"), r.article, r.name) for r in policy.rules.values()])
    _unique(findings, [(key_of("limits", x.name, "label"), x.clause, x.label) for x in policy.limits.values()])
    stages = form.stages.items()
    _unique(findings, [(key_of("stages", name, "label"), entry["clause"], entry["label"]) for name, entry in stages])


def _unique(findings: Findings, named: list[tuple[str, str, str]]) -> None:
    first: dict[str, str] = {}
    for key, clause, name in named:
        if name in first:
            text = Text(
                zh=f"与{first[name]}重名，规则重叠：{name}", en=f"overlaps with {first[name]}: the same name {name}"
            )
            findings.add(key, clause, text)
        first.setdefault(name, key)


def _switches(policy: Policy, form: Form, findings: Findings) -> None:
    """A reading that can be switched decides something: else the switch would be recorded and change nothing."""
    for reading in policy.readings.values():
        if reading.alternatives and not (reading.switchable or reading.fixed) and not form.has_faulty_rules:
            text = Text(
                zh="有alternatives而没有条目取其值，须以fixed说明本版本为何不能切换",
                en="it has alternatives, and nothing takes its value: say in fixed why this version cannot switch",
            )
            findings.add(key_of("readings", reading.id, "fixed"), reading.article, text)
        if reading.options and not reading.switchable and not form.has_faulty_rules:
            text = Text(
                zh="有options而没有任何条目取其值，切换不会生效；由人掌握的请写明followed_by，仅作说明的请写在alternatives",
                en="it has options, and nothing takes its value: a switch would have no effect; say in followed_by who goes "
                "by it, or use alternatives",
            )
            findings.add(key_of("readings", reading.id, "options"), reading.article, text)
        if reading.followed_by is not None and (why := _why_nobody_follows(reading, form)) is not None:
            findings.add(key_of("readings", reading.id, "followed_by"), reading.article, why)


def _why_nobody_follows(reading: Reading, form: Form) -> Text | None:
    """What contradicts that people go by a reading, and can be told to go by another of its options."""
    if reading.id in form.valued:
        return Text(
            zh="有条目取其值，由系统计算，不由人掌握", en="something in the file takes its value, and not people"
        )
    if len(reading.options) < 2:
        return Text(
            zh="须在options中列出至少两个可选的取值", en="needs options: at least two values that can be chosen"
        )
    if reading.fixed is not None:
        return Text(
            zh="由人掌握的可以切换，不能又写fixed", en="what people go by can be switched: fixed says that it cannot"
        )
    return None


def _tiers(rule: Rule, findings: Findings) -> None:
    if not isinstance(rule.terms, TierCeiling):
        return
    for position, (lower, higher) in enumerate(pairwise(rule.terms.tiers), start=1):
        key = key_of("rules", rule.id, "tiers", position)
        if higher.at_least <= lower.at_least:
            findings.add(key, rule.article, Text(zh="各档数量应逐档递增", en="tiers are not ascending: at_least"))
        if higher.ceiling_fen <= lower.ceiling_fen:
            findings.add(key, rule.article, Text(zh="各档上限应逐档递增", en="tiers are not ascending: ceiling"))


def _ceilings(rule: Rule, findings: Findings) -> None:
    """A yearly ceiling below an item's, or below a tier's, makes the latter a promise that nobody can be paid."""
    if rule.limit is None:
        return
    tiers = rule.terms.tiers if isinstance(rule.terms, TierCeiling) else ()
    bonus_fen = rule.item_cap_bonus.amount_fen.value if rule.item_cap_bonus else 0
    item_fen = rule.item_cap_fen.value + bonus_fen if rule.item_cap_fen else 0
    if max(item_fen, *(tier.ceiling_fen for tier in tiers), 0) > rule.limit.ceiling_fen.value:
        text = Text(
            zh=f"年度上限低于规则{rule.id}的单项或分档上限",
            en=f"cap below a tier: lower than the item's or a tier's ceiling of rule {rule.id}",
        )
        findings.add(key_of("limits", rule.limit.name, "ceiling"), rule.limit.clause, text)


def _lengths(policy: Policy, findings: Findings) -> None:
    """Rules that share a yearly limit by benefit year share the enterprise's window, which has one length."""
    first: dict[str, tuple[Rule, int]] = {}
    for rule in policy.rules.values():
        if rule.limit is None or not isinstance(rule.terms, WindowedRate):
            continue
        months = rule.terms.window.months.value
        other, others_months = first.setdefault(rule.limit.name, (rule, months))
        if months != others_months:
            text = Text(
                zh=f"与规则{other.id}共用限额{rule.limit.name}，两者的资助期应同样长",
                en=f"the rule shares the limit {rule.limit.name} with {other.id}, and not the length of its window",
            )
            findings.add(key_of("rules", rule.id, "window", "length"), rule.article, text)


def _windows(rule: Rule, findings: Findings) -> None:
    """A window and a limit by benefit year need each other."""
    by_window = rule.limit is not None and rule.limit.cap_year.value in BY_WINDOW
    if isinstance(rule.terms, WindowedRate) != by_window:
        text = Text(
            zh="windowed-rate须且仅能使用按benefit-year或calendar-year计的限额",
            en="a windowed-rate needs a limit counted by benefit-year or calendar-year, and only such a rule may use one",
        )
        findings.add(key_of("rules", rule.id, "limit"), rule.article, text)
