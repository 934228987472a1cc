"""From one rule's table to a :class:`Rule`: the shapes, the modifiers, and the particulars they speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.policy.form import Entry
from ledger.policy.model import CapBonus, CapYear, Limit, OncePerItem, RefusedWhen, Rule, Stage, Stages
from ledger.policy.place import Place
from ledger.policy.terms import (
    Cited,
    CostDates,
    DiscretionaryCeiling,
    Kind,
    MonthlyRent,
    PaidFirst,
    Particular,
    PeriodCost,
    Rate,
    RateArea,
    Terms,
    Tier,
    TierCeiling,
    WindowedRate,
    WindowTerms,
)

_BOUND_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "before_application": ("since",),
    "event_before_application": ("event",),
    "tail": ("paid_until", "event"),
    "length": ("since", "until"),
}
_DEFAULTS: Final = {Kind.MONTHS: range(121), Kind.COUNT: range(1_000_000)}
"""Which numbers may stand in for a particular that is not stated; for a flag, either."""


def _may_stand_in(kind: Kind, default: int | bool) -> bool:
    if kind is Kind.FLAG:
        return isinstance(default, bool)
    return type(default) is int and default in _DEFAULTS.get(kind, ())


class RuleBuilder:
    """Builds one rule whose form is right, and notes what its names get wrong."""

    def __init__(self, rule_id: str, entry: Entry, place: Place, limits: Mapping[str, Limit]) -> None:
        self.rule_id = rule_id
        self.entry = entry
        self.place = place
        self.limits = limits
        self.particulars = {name: self._particular(name, raw) for name, raw in entry["particulars"].items()}
        self.spoken_of: set[str] = set()

    def build(self) -> Rule:
        """The rule. To be used only where no fault was noted."""
        entry = self.entry
        self.place.source(("article",), entry["article"], None)
        for reading in entry.get("readings", ()):
            self.place.source(("readings",), None, reading)
        rule = Rule(
            id=self.rule_id,
            article=entry["article"],
            name=entry["name"],
            beneficiary=entry["beneficiary"],
            condition=entry["condition"],
            item=entry["item"],
            stage=self._stage(),
            review=entry["review"],
            particulars=self.particulars,
            terms=_TERMS[entry["shape"]](self),
            item_cap_fen=self._optional("item_cap"),
            item_cap_bonus=self._bonus(),
            item_span=self._of_item_cap("item_cap_per"),
            once_per_item=self._once_per_item(),
            item_shared=self._of_item_cap("item_shared"),
            remainder_carried=self._remainder(),
            limit=self._limit(),
            event_day=self._event_day(),
            refused_when=self._refused_when(),
            audited=self._optional("audited"),
            stages=self._stages(),
            cost_dates=self._cost_dates(),
            evidence_again=self._optional("evidence_again"),
            readings=tuple(self.place.cited_readings),  # last, when all of them have been
        )
        self._year_of(rule.limit, rule.once_per_item)
        self._note_unspoken()
        return rule

    # -- names and values ------------------------------------------------------------------------------------------

    def _particular(self, name: str, raw: Mapping[str, Any]) -> Particular:
        kind, default = raw["kind"], raw.get("default")
        fits = (
            isinstance(default, bool)
            if kind is Kind.FLAG
            else type(default) is int and default in _DEFAULTS.get(kind, ())
        )
        if default is not None and not fits:
            self.place.note(
                ("particulars", name, "default"),
                f"{kind.value}类的默认值不能是{default!r}",
                f"{default!r} cannot stand in for a particular of kind {kind.value}",
            )
        return Particular(name, kind, raw["label"], not raw.get("optional") and default is None, default)

    def _name(self, kind: Kind, name: str, *keys: str | int, required: bool = True) -> str:
        """A particular that the rule speaks of under ``keys``: it is declared, of the right kind, and always stated."""
        self.spoken_of.add(name)
        particular = self.particulars.get(name)
        if particular is None:
            self.place.note(
                keys,
                f"所指的申报事项{name}未在particulars中声明",
                f"names the particular {name}, which is not declared",
            )
        elif particular.kind is not kind:
            self.place.note(
                keys,
                f"申报事项{name}应为{kind.value}类，实为{particular.kind.value}类",
                f"the particular {name} should be of kind {kind.value}, not {particular.kind.value}",
            )
        elif required and not particular.required and particular.default is None:
            self.place.note(keys, f"申报事项{name}不得为可选", f"the particular {name} must not be optional")
        return name

    def _cited(self, name: str) -> Cited[Any]:
        return self.place.cited(name, self.entry[name])

    def _optional(self, name: str) -> Cited[Any] | None:
        return self._cited(name) if name in self.entry else None

    def _limit(self) -> Limit | None:
        name = self.entry.get("limit")
        if name is not None and name not in self.place.form.named["limits"]:
            self.place.note(("limit",), f"所指的限额{name}未定义", f"names the limit {name}, which is missing")
        return self.limits.get(name) if name is not None else None

    def _stage(self) -> str:
        name: str = self.entry["stage"]
        if name not in self.place.form.named["stages"]:
            self.place.note(("stage",), f"所指的阶段{name}未定义", f"names the stage {name}, which is missing")
        return name

    def _event_day(self) -> str | None:
        name = self.entry.get("event_day")
        return self._name(Kind.DATE, name, "event_day", required=False) if name is not None else None

    def _year_of(self, limit: Limit | None, once: Cited[OncePerItem] | None) -> None:
        """A limit that counts by the stated year, a tier, and one award a year need one year to go by; a limit by the event,
        its day."""
        years = [name for name, its in self.particulars.items() if its.kind is Kind.YEAR]
        self.spoken_of.update(years if limit is not None else ())
        if limit is not None and limit.cap_year.value is CapYear.EVENT and "event_day" not in self.entry:
            self.place.note(
                ("event_day",),
                f"限额{limit.name}按event-year计，须指明以何日为准",
                f"the limit {limit.name} counts by event-year, and no event_day says which day that is",
            )
        by_year = limit is not None and limit.cap_year.value is CapYear.PURCHASE
        by_year = by_year or (once is not None and once.value is OncePerItem.YEAR)
        if not by_year and self.entry["shape"] != "tier-ceiling":
            return
        if len(years) != 1:
            self.place.note(
                ("particulars",),
                "须有且只有一个year类申报事项，以确定限额年度",
                "exactly one particular of kind year must say which year the limit counts in",
            )
        self.spoken_of.update(years)

    def _note_unspoken(self) -> None:
        for name in self.particulars.keys() - self.spoken_of:
            self.place.note(
                ("particulars", name),
                "申报事项已声明而规则未使用",
                "the particular is asked for, and nothing in the rule uses it",
            )

    # -- modifiers -------------------------------------------------------------------------------------------------

    def _bonus(self) -> CapBonus | None:
        if (draft := self.entry.get("item_cap_bonus")) is None:
            return None
        if "item_cap" not in self.entry:
            self.place.note(("item_cap_bonus",), "没有可提高的item_cap", "there is no item_cap to raise")
        when = self._name(Kind.FLAG, draft.beside["when"], "item_cap_bonus", "when")
        if "bonus_raises_limit" not in self.entry:
            self.place.note(("bonus_raises_limit",), "缺少此项", "missing: an item_cap_bonus needs it")
            return None
        return CapBonus(self._cited("item_cap_bonus"), when, self._cited("bonus_raises_limit"))

    def _of_item_cap(self, name: str) -> Cited[Any] | None:
        """A modifier that only means something beside an ``item_cap``."""
        if name in self.entry and "item_cap" not in self.entry:
            self.place.note(
                (name,),
                "须有item_cap，否则无从累计",
                "needs an item_cap: else nothing is counted for the item",
            )
        return self._optional(name)

    def _once_per_item(self) -> Cited[OncePerItem] | None:
        once = self._of_item_cap("once_per_item")
        if once is not None and once.value is OncePerItem.YEAR and "limit" not in self.entry:
            self.place.note(
                ("once_per_item",),
                "须有按年的限额limit，否则无从分年",
                "once a year needs a yearly limit, which says which year that is",
            )
        return once

    def _remainder(self) -> Cited[bool] | None:
        """What is left of the one award of an item: there is no such thing where it is funded in each year anew."""
        remainder = self._of_item_cap("remainder")
        ever = "once_per_item" in self.entry and self._cited("once_per_item").value is OncePerItem.EVER
        if remainder is not None and ("item_cap_per" in self.entry or not ever):
            self.place.note(
                ("remainder",),
                "须有once_per_item = true，且不写item_cap_per",
                "needs once_per_item = true, and no item_cap_per: an item that is funded once, over all years",
            )
        return remainder

    def _cost_dates(self) -> CostDates | None:
        if (raw := self.entry.get("cost_dates")) is None:
            return None
        days = {
            name: self._name(Kind.DATE, raw[name], "cost_dates", name, required=False) if name in raw else None
            for name in ("since", "until", "paid_until", "event")
        }
        bounds: dict[str, Cited[int] | None] = {
            name: self.place.cited(name, raw[name], "cost_dates") if name in raw else None
            for name in ("before_application", "event_before_application", "tail", "length")
        }
        for name, needed in _BOUND_NEEDS.items():
            if bounds[name] is not None and any(days[day] is None for day in needed):
                told = "、".join(needed)
                self.place.note(("cost_dates", name), f"须有{told}", f"needs {', '.join(needed)}")
        if bounds["tail"] is None and days["paid_until"] is not None and days["event"] is not None:
            self.place.note(
                ("cost_dates", "tail"),
                "缺少此项：须写明event以后几天内付清",
                "missing: says how many days after the event the last payment may come",
            )
        return CostDates(
            **days,
            before_application_months=bounds["before_application"],
            event_months=bounds["event_before_application"],
            tail_days=bounds["tail"],
            length_months=bounds["length"],
        )

    def _refused_when(self) -> tuple[RefusedWhen, ...]:
        bars = []
        for position, raw in enumerate(self.entry.get("refused_when", ())):
            self._name(Kind.FLAG, raw["flag"], "refused_when", position, "flag")
            self.place.source(("refused_when", position, "cite"), raw["cite"], None)
            bars.append(RefusedWhen(**raw))
        return tuple(bars)

    def _stages(self) -> Stages | None:
        if (raw := self.entry.get("stages")) is None:
            return None
        stages = tuple(Stage(**part) for part in raw["parts"])
        if sum(stage.share for stage in stages) != 1:
            self.place.note(("stages", "parts"), "各阶段比例之和不是100%", "the shares do not sum to 100%")
        settled = self.place.cited("settlement", raw["settlement"], "stages")
        if settled.value and "basis" not in self.entry:
            self.place.note(
                ("stages", "settlement"), "没有可按审计数结算的basis", "there is no basis that an audit could confirm"
            )
        cite, reading = raw.get("cite"), raw.get("reading")
        if cite is None and reading is None:
            self.place.note(("stages",), "没有出处：缺少 cite 或 reading", "uncited: neither cite nor reading is given")
        self.place.source(("stages",), cite, reading)
        return Stages(raw["required"], stages, settled, cite, reading)

    # -- shapes ----------------------------------------------------------------------------------------------------

    def rate(self) -> Terms:
        return Rate(self._cited("rate"), self._name(Kind.MONEY, self.entry["basis"], "basis"))

    def rate_area(self) -> Terms:
        basis = self._name(Kind.MONEY, self.entry["basis"], "basis")
        area = self._name(Kind.AREA_M2, self.entry["area_cap"].beside["per"], "area_cap", "per")
        return RateArea(self._cited("rate"), basis, area, self._cited("area_cap"), self._cited("area_cap_on"))

    def windowed_rate(self) -> Terms:
        raw = self.entry["window"]
        extended_by = raw.get("extended_by")
        window = WindowTerms(
            months=self.place.cited("length", raw["length"], "window"),
            anchor=self._name(Kind.DATE, raw["anchor"], "window", "anchor"),
            extended_by=self._name(Kind.MONTHS, extended_by, "window", "extended_by") if extended_by else None,
            since=self._name(Kind.DATE, raw["since"], "window", "since"),
            until=self._name(Kind.DATE, raw["until"], "window", "until"),
            claimable=self.place.cited("claimable", raw["claimable"], "window"),
        )
        if (source := self._source()) is None:
            return Rate(self._cited("rate"), "")  # a fault was noted: the rule is not used
        return WindowedRate(self._cited("rate"), source, window)

    def _source(self) -> MonthlyRent | PeriodCost | None:
        rent, cost = self.entry.get("rent"), self.entry.get("cost")
        if (rent is None) == (cost is None):
            self.place.note(("rent",), "rent与cost须择一填写", "give either rent or cost, and not both")
        if rent is not None:
            return MonthlyRent(
                benchmark=self._name(Kind.MONEY, rent["benchmark"], "rent", "benchmark"),
                actual=self._name(Kind.MONEY, rent["actual"], "rent", "actual", required=False),
                area=self._name(Kind.AREA_M2, rent["area"], "rent", "area"),
                basis=self.place.cited("basis", rent["basis"], "rent"),
            )
        if cost is None:
            return None
        return PeriodCost(
            cost=self._name(Kind.MONEY, cost["of"], "cost", "of"),
            split=self.place.cited("split", cost["split"], "cost"),
            paid_first=self._paid_first(cost),
        )

    def _paid_first(self, cost: Mapping[str, Any]) -> PaidFirst | None:
        if ("paid_on" in cost) != ("bills" in cost):
            self.place.note(("cost",), "paid_on与bills须同时填写", "paid_on and bills need each other")
        if "paid_on" not in cost or "bills" not in cost:
            return None
        paid_on = self._name(Kind.DATE, cost["paid_on"], "cost", "paid_on")
        return PaidFirst(paid_on, self.place.cited("bills", cost["bills"], "cost"))

    def tier_ceiling(self) -> Terms:
        tiers = []
        for position, raw in enumerate(self.entry["tiers"]):
            self.place.source(("tiers", position, "cite"), raw["cite"], None)
            tiers.append(Tier(raw["at_least"], raw["ceiling"], raw["cite"]))
        if not tiers:
            self.place.note(("tiers",), "没有任何一档", "there are no tiers")
        return TierCeiling(
            self._name(Kind.COUNT, self.entry["count"], "count"),
            self._name(Kind.MONEY, self.entry["proposed"], "proposed"),
            tuple(tiers),
            self._cited("at_least"),
        )

    def discretionary_ceiling(self) -> Terms:
        return DiscretionaryCeiling(self._name(Kind.MONEY, self.entry["proposed"], "proposed"))


_TERMS: Final[Mapping[str, Callable[[RuleBuilder], Terms]]] = {
    "rate": RuleBuilder.rate,
    "rate-area": RuleBuilder.rate_area,
    "windowed-rate": RuleBuilder.windowed_rate,
    "tier-ceiling": RuleBuilder.tier_ceiling,
    "discretionary-ceiling": RuleBuilder.discretionary_ceiling,
}
