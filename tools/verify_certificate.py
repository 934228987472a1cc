#!/usr/bin/env python3
"""Checks an award certificate of funding-ledger, offline, with Python 3.11 and the package cryptography alone.

    python3 verify_certificate.py certificate.json --key PUBLIC [--checkpoint KEPT]

PUBLIC is the ledger's public key (``name+id+base64``) or a file that holds it, one key to a line. Have it from somebody
other than who gave you the certificate: a certificate checked with a key that came with it shows nothing.

KEPT is a checkpoint of the same log that you kept from earlier. The log of the certificate must then continue it: what
was shown to you then is the beginning of what is shown to you now. Where the log has grown since, the certificate must
carry the proof: ask for it with "funding-ledger certificate AWARD -o FILE --since KEPT".

Exit status 0: whole. 1: not whole, not a certificate, or not compared. 2: wrong usage: a file that is missing or cannot be
read, a key that is none, or Python without cryptography.

What a whole certificate shows: every event in it was recorded, unchanged and at its place, in the log that the signed
checkpoint speaks of; the events are of one case, in order, each naming the one before, from the application on, so that
no step between the first and the last was left out; the sums are those of these events.
What it cannot show: that no later step was recorded (each step names its predecessor, none its successor), that no
refused command was left out, or that the log was not forked and shown to others differently. For the first two check an
export of the whole log; for the last compare with a checkpoint that you or others kept (--checkpoint).

This file imports nothing of funding-ledger, and shares no code with it: RFC 6962 and RFC 9162 (the Merkle tree), C2SP
signed-note and tlog-checkpoint (the checkpoint), and docs/adr/0007 (the certificate) are all that it follows.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.stderr.buffer.write(
        "核对需要 Python 的 cryptography 软件包，请先安装：python3 -m pip install cryptography\n"
        "This check needs Python's package cryptography: install it first (python3 -m pip install cryptography)\n".encode()
    )
    sys.exit(2)

FORMAT, VERSION = "funding-ledger-certificate", 1
FILE_BYTES_MOST = 64 * 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HASH_BYTES = 32
HASHES_MOST = 64
CASE_NUMBER = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}", re.ASCII)
SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z", re.ASCII)

SINCE = "since"  # only where it was asked for
TOP_FIELDS = ("format", "version", "award", "case", "key", "checkpoint", "policies", "totals", "summary", "events")
ENVELOPE_REQUIRED = frozenset(
    {"event_id", "recorded_at", "effective_on", "actor", "role", "schema_version", "correlation_id"}
)
ENVELOPE_OPTIONAL = frozenset({"causation_id", "key", "request_sha256", "reference", "reason", "policy"})
REFUSED = "command-refused"
STEPS_WITHOUT_MONEY = frozenset(
    {
        "application-accepted",
        "application-refused",
        "application-withdrawn",
        "other-funding-decided",
        "violation-found",
        "violation-withdrawn",
    }
)


class NotWhole(Exception):
    """Something does not hold; in two languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class NoKey(NotWhole):
    """What was given as the public key is none, or none that is checked here."""


class OtherKeyType(NoKey):
    """A key of another type than Ed25519, as witnesses have: nothing is wrong with it."""


class NotCompared(NotWhole):
    """Nothing was found wrong, but what was kept cannot be held against it."""


def fail(zh: str, en: str) -> NoReturn:
    raise NotWhole(zh, en)


# ---- Strict JSON


def parsed(text: str, zh: str, en: str) -> Any:
    """JSON with one reading: no name twice in an object, no fractions, nothing that JSON does not know."""

    def one_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            fail(f"{zh}：同一名称出现两次", f"{en}: a name stands twice in one object")
        return found

    def refuse(found: str) -> NoReturn:
        fail(f"{zh}：不允许的数值{found[:32]}", f"{en}: {found[:32]} is not allowed")

    try:
        return json.loads(text, object_pairs_hook=one_of_each, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise NotWhole(f"{zh}：不是有效的 JSON", f"{en}: not valid JSON") from error


def fields_of(value: Any, names: tuple[str, ...], where: str) -> list[Any]:
    """The values of exactly these fields, in this order."""
    if not isinstance(value, dict) or set(value) != set(names):
        fail(f"{where}的字段应恰为：{'、'.join(names)}", f"{where} must have exactly the fields {', '.join(names)}")
    return [value[name] for name in names]


def text_of(value: Any, where: str) -> str:
    if not isinstance(value, str):
        fail(f"{where}应为文本", f"{where} must be text")
    return value


def whole_of(value: Any, where: str, least: int) -> int:
    # True and False are whole numbers to Python, not to JSON.
    if type(value) is not int or value < least:
        fail(f"{where}应为不小于{least}的整数", f"{where} must be a whole number, at least {least}")
    return int(value)


def list_of(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        fail(f"{where}应为列表", f"{where} must be a list")
    return value


def is_utf8(text: str) -> bool:
    """JSON can hold half a character, which no bytes stand for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def base64_of(text: str, where: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        fail(f"{where}不是规范的 base64", f"{where} is not base64 as everybody writes it")
    return data


# ---- The key and the checkpoint


@dataclass(frozen=True)
class Key:
    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    @classmethod
    def parse(cls, text: str) -> Key:
        parts = text.split("+", 2)
        if len(parts) != 3 or text.startswith("PRIVATE+KEY+"):
            raise NoKey("公钥应为“名称+编号+base64”", "a public key is a name, an id and base64, divided by plus signs")
        name, key_id, encoded = parts
        try:
            material = base64_of(encoded, "公钥 / the key")
        except NotWhole as error:
            raise NoKey(error.zh, error.en) from error
        if material[0] != 1:
            raise OtherKeyType(
                f"{name} 的公钥类型为 {material[0]}，仅支持 Ed25519（类型 1）",
                f"the key of {name} is of type {material[0]}; only Ed25519, type 1, is checked here",
            )
        if not name or any(c.isspace() or c < " " for c in name) or len(material) != 33:
            raise NoKey("不是 Ed25519 公钥", "it is not an Ed25519 key")
        if not is_utf8(name):
            raise NoKey("公钥名称不是有效文本", "the key's name is not valid text")
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            raise NoKey("公钥的编号不符，可能抄录有误", "the key's id does not fit; it may have been copied wrongly")
        return key


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def keys_from(named: str) -> list[Key]:
    """Keys from a file of that name, else from the text itself. Lines of a file with keys of other types are passed over, as
    are the signatures of those."""
    path = Path(named)
    try:
        in_file = path.is_file()
        lines = path.read_text("utf-8-sig").splitlines() if in_file else [named]
    except (OSError, UnicodeError) as error:
        raise NoKey(f"无法读取公钥文件{named}", f"the key file {named} cannot be read") from error
    keys, others = [], []
    for line in lines:
        try:
            if line.strip():
                keys.append(Key.parse(line.strip()))
        except OtherKeyType as error:
            others.append(error)
    if not keys:
        raise others[0] if others else NoKey("没有公钥", "there is no key")
    for other in others:
        sys.stderr.write(f"注意：略过：{other.zh}\nNote: passed over: {other.en}\n")
    return keys


def opened(note: str, keys: list[Key]) -> tuple[Checkpoint, Key]:
    """The checkpoint, and the key of its own log that signed it."""
    if "\r" in note:
        fail(
            "检查点的换行符在传送中被改动（例如邮件程序或 git 改成了 Windows 的 CRLF），无从核对；请用原样保存的一份",
            "the checkpoint's line ends were changed in transit (mail programs and git turn them into those of Windows), so "
            "it cannot be checked; use a copy that was kept as it was",
        )
    body, divider, lines = note.rpartition("\n\n")
    if not is_utf8(note) or not divider or not lines.endswith("\n") or any(c < " " and c != "\n" for c in note):
        fail("检查点格式有误", "the checkpoint is not a signed note")
    message = body + "\n"
    checkpoint = checkpoint_from(message)
    signer = None
    for line in lines[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, space, encoded = rest.partition(" ")
        if dash != "—" or not space or not name:
            fail("检查点的签名行格式有误", "a signature line of the checkpoint is malformed")
        signature = base64_of(encoded, "签名 / a signature")
        for key in keys:
            if (key.name, key.key_id) == (name, signature[:4]):
                check_signature(key, message.encode(), signature[4:])
                if key.name == checkpoint.origin:
                    signer = key
    if signer is None:
        fail(
            f"检查点没有给定公钥的签名（来源：{checkpoint.origin}）",
            f"the given key did not sign the checkpoint, which is of {checkpoint.origin}",
        )
    return checkpoint, signer


def check_signature(key: Key, message: bytes, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        fail(
            f"{key.name}的签名不成立：检查点被改动", f"the signature of {key.name} is false: the checkpoint was changed"
        )


def checkpoint_from(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or SIZE.fullmatch(lines[1]) is None:
        fail("检查点应有来源、大小、根哈希", "a checkpoint has an origin, a size and a root")
    root = base64_of(lines[2], "根哈希 / the root")
    if len(root) != HASH_BYTES:
        fail("根哈希应为 32 字节", "the root must be 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


# ---- The tree


def check_inclusion(position: int, leaf: bytes, proof: list[bytes], checkpoint: Checkpoint) -> None:
    """RFC 9162, section 2.1.3.2."""
    where_zh, where = f"第{position}号事件", f"position {position}"
    if position > checkpoint.size:
        fail(f"{where_zh}在检查点之后", f"{where} is beyond the checkpoint")
    node, last = position - 1, checkpoint.size - 1
    hashed = sha256(b"\x00" + leaf).digest()
    for sibling in proof:
        if last == 0:
            fail(f"{where_zh}的证明过长", f"{where}: its proof has too many hashes")
        if node & 1 or node == last:
            hashed = sha256(b"\x01" + sibling + hashed).digest()
            while node & 1 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = sha256(b"\x01" + hashed + sibling).digest()
        node, last = node >> 1, last >> 1
    if last != 0:
        fail(f"{where_zh}的证明过短", f"{where}: its proof has too few hashes")
    if hashed != checkpoint.root:
        fail(
            f"{where_zh}不在检查点所示的日志中：内容或证明被改动",
            f"{where} is not in the log that the checkpoint speaks of: the event or its proof was changed",
        )


def check_consistency(earlier: Checkpoint, later: Checkpoint, proof: list[bytes]) -> None:
    """That the log of ``later`` begins with all of the log of ``earlier``, unchanged. RFC 9162, section 2.1.4.2."""
    forked_zh = f"日志的前{earlier.size}个事件与较早的检查点不符：日志另立过一份，或证明被改动"
    forked = (
        f"the log does not continue the checkpoint of {earlier.size} events: it was forked, or the proof was changed"
    )
    if earlier.size > later.size:
        fail(
            f"较早的检查点有{earlier.size}个事件，多于证明所依据的{later.size}个",
            f"the earlier checkpoint is of {earlier.size} events, more than the {later.size} that the certificate rests on",
        )
    if earlier.size in (0, later.size):
        expected = sha256(b"").digest() if earlier.size == 0 else later.root
        if proof:
            fail("衔接证明应为空", "the proof between these checkpoints must be empty")
        if earlier.root != expected:
            fail(
                f"大小同为{earlier.size}而根哈希不同：日志另立过一份",
                f"of {earlier.size} events there are two different roots: the log was forked",
            )
        return
    # A power of two: the earlier tree is one subtree of the later, and its root is not repeated.
    path = [earlier.root, *proof] if earlier.size & (earlier.size - 1) == 0 else proof
    if not path:
        fail("衔接证明过短", "the proof between the checkpoints has too few hashes")
    node, last = earlier.size - 1, later.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    earlier_root = later_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            fail("衔接证明过长", "the proof between the checkpoints has too many hashes")
        if node & 1 or node == last:
            earlier_root = sha256(b"\x01" + sibling + earlier_root).digest()
            later_root = sha256(b"\x01" + sibling + later_root).digest()
            while node & 1 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            later_root = sha256(b"\x01" + later_root + sibling).digest()
        node, last = node >> 1, last >> 1
    if last != 0 or (earlier_root, later_root) != (earlier.root, later.root):
        fail(forked_zh, forked)


def hashes_of(value: Any, where: str) -> list[bytes]:
    hashes = [base64_of(text_of(one, where), where) for one in list_of(value, where)]
    if any(len(one) != HASH_BYTES for one in hashes):
        fail(f"{where}：哈希应为 32 字节", f"{where}: a hash must be 32 bytes")
    if len(hashes) > HASHES_MOST:
        fail(f"{where}：哈希多于{HASHES_MOST}个", f"{where}: it has more than {HASHES_MOST} hashes")
    return hashes


def check_since(value: Any, later: Checkpoint, keys: list[Key]) -> Checkpoint:
    """The checkpoint that the certificate says its log continues, after it was shown to."""
    note, proof = fields_of(value, ("checkpoint", "proof"), SINCE)
    earlier, _ = opened(text_of(note, SINCE), keys)
    require_same_log(earlier, later)
    check_consistency(earlier, later, hashes_of(proof, SINCE))
    return earlier


def check_kept(kept: Checkpoint, later: Checkpoint, since: Checkpoint | None) -> None:
    """That the log of the certificate continues the checkpoint that the reader kept."""
    require_same_log(kept, later)
    if kept.size > later.size:
        raise NotCompared(
            f"您保存的检查点有{kept.size}个事件，晚于证明所依据的{later.size}个，无法比较；请索取新的证明",
            f"the checkpoint that you kept is of {kept.size} events, later than the certificate's, of {later.size}; ask for "
            "a new certificate",
        )
    if kept.size in (0, later.size):
        check_consistency(kept, later, [])
        return
    if since is None or since.size != kept.size:
        carried_zh, carried = (
            ("没有衔接证明", "carries no proof")
            if since is None
            else (f"的衔接证明始于{since.size}个事件", f"carries a proof from {since.size} events on, not one")
        )
        fail(
            f"证明文件{carried_zh}，不能与您保存的检查点（{kept.size}个事件）比较；"
            "请对方以 certificate --since 该检查点 重新出具",
            f"the certificate {carried} from your checkpoint of {kept.size} events on; ask for one that was made with "
            "certificate --since and that checkpoint",
        )
    if since.root != kept.root:
        fail(
            f"该日志的密钥为{kept.size}个事件签署过两个不同的根哈希：日志另立过一份。请保存这两个检查点，作为证据",
            f"the log's keys signed two different roots of {kept.size} events: the log was forked. Keep both checkpoints, "
            "as evidence",
        )


def require_same_log(one: Checkpoint, other: Checkpoint) -> None:
    if one.origin != other.origin:
        fail(
            f"检查点出自不同的日志：{one.origin}、{other.origin}",
            f"the checkpoints are of different logs: {one.origin}, {other.origin}",
        )


# ---- The history


@dataclass(frozen=True)
class Event:
    position: int
    type_name: str
    tags: list[str]
    envelope: dict[str, Any]
    payload: dict[str, Any]

    @property
    def where(self) -> tuple[str, str]:
        return f"第{self.position}号事件（{self.type_name}）", f"position {self.position} ({self.type_name})"

    def fail(self, zh: str, en: str) -> NoReturn:
        where_zh, where = self.where
        fail(f"{where_zh}：{zh}", f"{where}: {en}")

    def amount_fen(self) -> int:
        return whole_of(self.payload.get("amount_fen"), f"{self.type_name}.amount_fen", 1)

    def number(self, name: str) -> int:
        return whole_of(self.payload.get(name), f"{self.type_name}.{name}", 1)


def event_from(position: int, leaf: str) -> Event:
    where = f"第{position}号事件 / position {position}"
    content = list_of(parsed(leaf, where, where), where)
    if len(content) != 3:
        fail(f"{where}应有类型、标签、内容三部分", f"{where} must be a type, tags and data")
    type_name, tags = text_of(content[0], where), [text_of(tag, where) for tag in list_of(content[1], where)]
    envelope, payload = fields_of(content[2], ("envelope", "payload"), where)
    if not isinstance(envelope, dict) or not isinstance(payload, dict):
        fail(f"{where}的内容有误", f"{where} is malformed")
    names = set(envelope)
    if not ENVELOPE_REQUIRED <= names <= ENVELOPE_REQUIRED | ENVELOPE_OPTIONAL:
        fail(f"{where}的信封字段有误", f"{where}: its envelope has other fields than this verifier knows")
    for name, form in (("event_id", UUID), ("correlation_id", UUID), ("recorded_at", INSTANT)):
        if form.fullmatch(text_of(envelope[name], where)) is None:
            fail(f"{where}的{name}有误", f"{where}: {name} is malformed")
    day_of(envelope["effective_on"], where)
    return Event(position, type_name, tags, envelope, payload)


def instant_of(event: Event) -> datetime:
    try:
        return datetime.fromisoformat(event.envelope["recorded_at"])
    except ValueError:
        event.fail("记录时间有误", "the time of recording is malformed")


def day_of(text: Any, where: str) -> date:
    try:
        return date.fromisoformat(text_of(text, where))
    except ValueError as error:
        raise NotWhole(f"{where}的业务日期有误", f"{where}: its date is malformed") from error


@dataclass(frozen=True)
class Plan:
    """Payment in stages: each one's share of the award in millionths, rounded down to whole ``unit_fen``; the last stage
    takes what the others leave."""

    shares_ppm: list[int]
    unit_fen: int

    @classmethod
    def of(cls, stated: Any, event: Event) -> Plan:
        where = f"{event.type_name}.payment_plan"
        _, unit, stages = fields_of(stated, ("clause", "unit_fen", "stages"), where)
        shares = [fields_of(stage, ("share_ppm", "when"), where)[0] for stage in list_of(stages, where)]
        plan = cls([whole_of(share, where, 1) for share in shares], whole_of(unit, where, 1))
        if sum(plan.shares_ppm) != 1_000_000 or plan.unit_fen not in (1, 100):
            event.fail(
                "拨付阶段的比例之和不是100%", "the shares of its stages are not the whole, or not of yuan or fen"
            )
        return plan

    def due_fen(self, award_fen: int, reached: int) -> int:
        if reached >= len(self.shares_ppm):
            return award_fen
        whole = (award_fen * share // (1_000_000 * self.unit_fen) for share in self.shares_ppm[:reached])
        return sum(whole) * self.unit_fen


@dataclass
class History:
    """The case, folded. Amounts are fen."""

    case: str
    submitted: Event | None = None
    last: Event | None = None
    first_id: str = ""
    approved_fen: int = 0
    released_fen: int = 0
    paid_fen: int = 0
    recovered_fen: int = 0
    determined_fen: int = 0
    plan: Plan | None = None
    stages_reached: int = 0
    requested: dict[int, int] = field(default_factory=dict)
    ordered: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    recoveries: dict[int, int] = field(default_factory=dict)
    policies: set[tuple[str, int, str]] = field(default_factory=set)

    @property
    def award_fen(self) -> int:
        return self.approved_fen - self.released_fen

    def take(self, event: Event) -> None:
        refused = event.type_name == REFUSED
        if not (refused or f"case={self.case}" in event.tags) or event.payload.get("case") != self.case:
            event.fail("不属于本案卷", "it is of another case")
        self._take_policy(event)
        if refused:
            self._check_link(event)
            return
        if self.submitted is None:
            self._begin(event)
        else:
            self._check_step(event, self.submitted)
            self._add_up(event)
        self.last = event

    def _take_policy(self, event: Event) -> None:
        pin = event.envelope.get("policy")
        if pin is not None:
            policy_id, version, digest = fields_of(pin, ("policy_id", "version", "sha256"), event.where[1])
            where = event.where[1]
            self.policies.add((text_of(policy_id, where), whole_of(version, where, 1), text_of(digest, where)))

    def _begin(self, event: Event) -> None:
        if event.type_name != "application-submitted":
            event.fail("首个事件应为提交申报：历史的开头缺失", "the history must begin with the application")
        if (
            event.envelope.get("causation_id") is not None
            or event.envelope["correlation_id"] != event.envelope["event_id"]
        ):
            event.fail("首个事件不应引用前一事件", "the first event must not name one before it")
        for name in ("enterprise", "enterprise_name", "rule", "item"):
            text_of(event.payload.get(name), f"application-submitted.{name}")
        self.submitted, self.first_id = event, event.envelope["event_id"]

    def _check_link(self, event: Event) -> None:
        before = None if self.last is None else self.last.envelope["event_id"]
        if event.envelope.get("causation_id") != before or (
            self.first_id and event.envelope["correlation_id"] != self.first_id
        ):
            event.fail(
                "与前一事件不相连：中间有事件缺失", "it does not follow from the event shown before it: one is missing"
            )

    def _check_step(self, event: Event, submitted: Event) -> None:
        assert self.last is not None
        self._check_link(event)
        if day_of(event.envelope["effective_on"], event.where[1]) < day_of(self.last.envelope["effective_on"], ""):
            event.fail("业务日期早于上一步", "its date is before that of the step before")
        if event.payload.get("enterprise") != submitted.payload["enterprise"]:
            event.fail("企业与申报不符", "its enterprise is not the applicant")
        if event.envelope.get("policy") != submitted.envelope.get("policy"):
            event.fail("政策版本与申报不符", "its policy is not that of the application")

    def _add_up(self, event: Event) -> None:
        if (step := STEPS_WITH_MONEY.get(event.type_name)) is not None:
            step(self, event)
        elif event.type_name not in STEPS_WITHOUT_MONEY:
            event.fail(
                "本程序不认识此类事件，请用更新的版本核对",
                "this verifier does not know such an event; use a newer one",
            )

    def _within(self, event: Event, amount_fen: int, most_fen: int) -> None:
        if amount_fen > most_fen:
            event.fail(
                f"{yuan(amount_fen)}元超过{yuan(most_fen)}元", f"{yuan(amount_fen)} is above {yuan(most_fen)} yuan"
            )

    def _determine(self, event: Event) -> None:
        self.determined_fen = event.amount_fen()

    def _approve(self, event: Event) -> None:
        if self.approved_fen:
            event.fail("同一案卷审批两次", "an award is approved once")
        self.approved_fen = event.amount_fen()
        self._within(event, self.approved_fen, self.determined_fen)
        if (stated := event.payload.get("payment_plan")) is not None:
            self.plan, self.stages_reached = Plan.of(stated, event), 1

    def _release(self, event: Event) -> None:
        self.released_fen += event.amount_fen()
        self._within(event, sum(self.requested.values()), self.award_fen)

    def _confirm_stage(self, event: Event) -> None:
        if self.plan is None or not self.stages_reached < event.number("stage") <= len(self.plan.shares_ppm):
            event.fail("资助没有此拨付阶段，或该阶段已确认", "the award has no such stage, or it was reached before")
        if event.number("stage") != self.stages_reached + 1:
            event.fail("不是下一个拨付阶段", "it is not the next stage of the payment plan")
        self.stages_reached += 1
        if (final := event.payload.get("final_fen")) is not None:
            self._within(event, self.award_fen - self.recovered_fen, whole_of(final, "stage-confirmed.final_fen", 0))

    def _request(self, event: Event) -> None:
        number = event.number("disbursement")
        if number in self.requested or number in self.closed:
            event.fail("拨付编号重复", "the disbursement exists already")
        self.requested[number] = event.amount_fen()
        due_fen = self.award_fen if self.plan is None else self.plan.due_fen(self.award_fen, self.stages_reached)
        self._within(event, sum(self.requested.values()), due_fen)

    def _order(self, event: Event) -> None:
        number = event.number("disbursement")
        if number in self.ordered or number in self.closed or self.requested.get(number) != event.amount_fen():
            event.fail("与拨付申请不符", "it does not fit the request")
        self.ordered.add(number)

    def _settle(self, event: Event) -> None:
        number = event.number("disbursement")
        if number not in self.ordered or number in self.closed or self.requested.get(number) != event.amount_fen():
            event.fail("与支付令不符", "it does not fit the order")
        self.closed.add(number)
        self.paid_fen += event.amount_fen()
        self._within(event, self.paid_fen, self.award_fen)

    def _cancel(self, event: Event) -> None:
        number = event.number("disbursement")
        if number in self.closed or self.requested.get(number) != event.amount_fen():
            event.fail("与拨付申请不符", "it does not fit the request")
        del self.requested[number]
        self.closed.add(number)

    def _send_back(self, event: Event) -> None:
        if event.number("disbursement") not in self.ordered:
            event.fail("没有支付令", "it was not ordered")
        self._cancel(event)

    def _order_recovery(self, event: Event) -> None:
        number = event.number("recovery")
        if number in self.recoveries:
            event.fail("追缴编号重复", "the recovery exists already")
        self.recoveries[number] = event.amount_fen()
        self._within(event, self.recovered_fen + sum(self.recoveries.values()), self.paid_fen)

    def _receive(self, event: Event) -> None:
        number = event.number("recovery")
        self._within(event, event.amount_fen(), self.recoveries.get(number, 0))
        self.recoveries[number] -= event.amount_fen()
        self.recovered_fen += event.amount_fen()
        self._within(event, self.recovered_fen, self.paid_fen)

    def _cancel_recovery(self, event: Event) -> None:
        number = event.number("recovery")
        if self.recoveries.get(number) != event.amount_fen():
            event.fail("撤销金额与尚欠金额不符", "it cancels another amount than is outstanding")
        self.recoveries[number] = 0


STEPS_WITH_MONEY: dict[str, Callable[[History, Event], None]] = {
    "amount-determined": History._determine,
    "award-approved": History._approve,
    "award-released": History._release,
    "stage-confirmed": History._confirm_stage,
    "disbursement-requested": History._request,
    "disbursement-ordered": History._order,
    "disbursement-settled": History._settle,
    "disbursement-cancelled": History._cancel,
    "disbursement-returned": History._send_back,
    "recovery-ordered": History._order_recovery,
    "recovery-received": History._receive,
    "recovery-cancelled": History._cancel_recovery,
}


def yuan(fen: int) -> str:
    """As people read it: ``3,000,000.00``."""
    return f"{fen // 100:,}.{fen % 100:02}"


def plain_yuan(fen: int) -> str:
    """As programs read it: ``3000000.00``."""
    return f"{fen // 100}.{fen % 100:02}"


# ---- The certificate


@dataclass(frozen=True)
class Verdict:
    history: History
    checkpoint: Checkpoint
    key: Key
    events: int
    refused: int
    since: Checkpoint | None = None
    kept: Checkpoint | None = None


def check(data: bytes, keys: list[Key], kept_note: bytes | None = None) -> Verdict:
    """Check a certificate, and whether its log continues a kept checkpoint. Raises :class:`NotWhole`."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotWhole("文件不是 UTF-8 文本", "the file is not UTF-8 text") from error
    whole = parsed(text, "证明文件", "the certificate")
    names = (*TOP_FIELDS, SINCE) if isinstance(whole, dict) and SINCE in whole else TOP_FIELDS
    content = fields_of(whole, names, "证明 / the certificate")[: len(TOP_FIELDS)]
    form, version, award, case, key, note, policies, totals, summary, listed = content
    if form != FORMAT or type(version) is not int or version != VERSION:
        fail(f"格式应为{FORMAT}第{VERSION}版", f"it must be {FORMAT} version {VERSION}")
    if CASE_NUMBER.fullmatch(text_of(case, "case")) is None or award != f"awd-{case}":
        fail("资助编号与案卷号不符", "the award's id does not fit the case")
    checkpoint, signer = opened(text_of(note, "checkpoint"), keys)
    if fields_of(key, ("name", "id"), "key") != [signer.name, signer.key_id.hex()]:
        fail("所写公钥名称与签名不符", "the key it names is not the one that signed")
    since = check_since(whole[SINCE], checkpoint, keys) if SINCE in whole else None
    kept = None
    if kept_note is not None:
        kept = kept_checkpoint(kept_note, keys)
        check_kept(kept, checkpoint, since)
    history, events = History(case), [proven_event(one, checkpoint) for one in list_of(listed, "events")]
    check_order(events)
    for event in events:
        history.take(event)
    check_stated(history, policies, totals, summary, len(events), checkpoint)
    refused = sum(1 for event in events if event.type_name == REFUSED)
    return Verdict(history, checkpoint, signer, len(events), refused, since, kept)


def kept_checkpoint(note: bytes, keys: list[Key]) -> Checkpoint:
    try:
        return opened(note.decode(), keys)[0]
    except UnicodeDecodeError as error:
        raise NotWhole("您保存的检查点不是 UTF-8 文本", "the checkpoint that you kept is not UTF-8 text") from error
    except NotWhole as error:
        raise NotWhole(f"您保存的检查点：{error.zh}", f"the checkpoint that you kept: {error.en}") from error


def proven_event(value: Any, checkpoint: Checkpoint) -> Event:
    position, leaf, proof = fields_of(value, ("position", "leaf", "proof"), "事件 / an event")
    position = whole_of(position, "position", 1)
    where = f"第{position}号事件的证明 / the proof of position {position}"
    hashes = hashes_of(proof, where)
    leaf = text_of(leaf, where)
    try:
        check_inclusion(position, leaf.encode(), hashes, checkpoint)
    except UnicodeEncodeError as error:
        raise NotWhole(f"{where}：不是有效文本", f"{where}: it is not valid text") from error
    return event_from(position, leaf)


def check_order(events: list[Event]) -> None:
    for before, after in pairwise(events):
        if after.position <= before.position:
            after.fail(
                "事件未按位置排列，或重复", "the events are not in the order of their positions, or one stands twice"
            )
        if instant_of(after) < instant_of(before):
            after.fail("记录时间早于前一事件", "it was recorded before the event in front of it")


def check_stated(
    history: History, policies: Any, totals: Any, summary: Any, events: int, checkpoint: Checkpoint
) -> None:
    """What the certificate says in its own words is what its events come to."""
    submitted = history.submitted
    if submitted is None or not history.approved_fen:
        fail("历史中没有审批的资助", "the history holds no award")
    stated = [fields_of(pin, ("policy_id", "version", "sha256"), "policies") for pin in list_of(policies, "policies")]
    if stated != [list(pin) for pin in sorted(history.policies)] or any(type(pin[1]) is not int for pin in stated):
        fail("所写政策文本与事件不符", "the policies it names are not those of the events")
    amounts = (history.award_fen, history.paid_fen, history.recovered_fen)
    sums = [yuan(fen) for fen in amounts]
    if fields_of(totals, ("awarded", "paid", "recovered"), "totals") != [plain_yuan(fen) for fen in amounts]:
        fail(
            f"所写金额与事件合计（{'、'.join(sums)}）不符",
            f"the totals are not what the events come to: {', '.join(sums)}",
        )
    (awarded, paid, recovered), said = sums, submitted.payload
    zh = (
        f"{said['enterprise_name']}（{said['enterprise']}），规则{said['rule']}，对象{said['item']}："
        f"资助{awarded}元，已拨付{paid}元，已追回{recovered}元；案卷{history.case}共{events}个事件，"
        f"截至日志第{checkpoint.size}号事件。"
    )
    en = (
        f"{said['enterprise_name']} ({said['enterprise']}), rule {said['rule']}, {said['item']}: awarded {awarded} yuan, "
        f"paid {paid}, recovered {recovered}; {events} events of case {history.case}, as of {checkpoint.size} "
        "events in the log."
    )
    if fields_of(summary, ("zh", "en"), "summary") != [zh, en]:
        fail("摘要与事件不符", "the summary is not what the events say")


def report(verdict: Verdict) -> list[str]:
    history, submitted = verdict.history, verdict.history.submitted
    assert submitted is not None and history.last is not None
    pins = [f"{policy} v{version} sha256 {digest}" for policy, version, digest in sorted(history.policies)]
    award, paid, recovered = (yuan(fen) for fen in (history.award_fen, history.paid_fen, history.recovered_fen))
    said, steps = submitted.payload, verdict.events - verdict.refused
    root = base64.b64encode(verdict.checkpoint.root).decode()
    return [
        "核对通过 / WHOLE",
        f"资助 awd-{history.case}：{said['enterprise_name']}（{said['enterprise']}），"
        f"规则 {said['rule']}，对象 {said['item']}",
        f"  资助 {award} 元，已拨付 {paid} 元，已追回 {recovered} 元；{steps} 个步骤，{verdict.refused} 次被拒绝的操作；"
        f"最后一步 {history.last.type_name}（{history.last.envelope['effective_on']}）",
        f"Award awd-{history.case}: awarded {award} yuan, paid {paid}, recovered {recovered}; {steps} steps, "
        f"{verdict.refused} refused commands; last step {history.last.type_name} of {history.last.envelope['effective_on']}",
        *(f"  政策文本 / policy text: {pin}" for pin in pins),
        f"检查点 / checkpoint: {verdict.checkpoint.origin}, {verdict.checkpoint.size}, {root}",
        f"公钥 / key: {verdict.key.name} {verdict.key.key_id.hex()}",
        *compared(verdict),
        "已证明：所列事件均按原样、原位记录于该日志；从申报到所列最后一步，中间没有缺失的步骤；金额为其合计。",
        "未证明：此后是否另有步骤；是否漏列被拒绝的操作；日志是否对他人出示过另一版本"
        "（请与他人保存的检查点比对，或核验全部导出）。",
        "Shown: these events were recorded, unchanged and in place; no step between the application and the last one shown "
        "is missing; the sums are theirs.",
        "Not shown: that no step came after the last one; that no refused command was left out; that others were not shown "
        "another log (compare the checkpoint with one that others kept, or check a whole export).",
    ]


def compared(verdict: Verdict) -> list[str]:
    if verdict.kept is not None:
        return [
            f"与您保存的检查点（{verdict.kept.size}个事件）衔接：当时出示的日志就是现在日志的开头。",
            f"It continues the checkpoint that you kept, of {verdict.kept.size} events: what you were shown then is the "
            "beginning of this log.",
        ]
    if verdict.since is not None:
        return [
            f"附有自{verdict.since.size}个事件起的衔接证明；请用 --checkpoint 与您自己保存的检查点比对。",
            f"It carries a proof that it continues a checkpoint of {verdict.since.size} events: compare that with the one "
            "you kept, by --checkpoint.",
        ]
    return []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="核对资助证明（离线） / check an award certificate, offline",
        epilog="0: 完整 whole; 1: 不完整或未能比较 not whole, or not compared; 2: 用法有误 wrong usage, or no such file",
    )
    parser.add_argument("certificate", type=Path, metavar="FILE", help="证明文件 / the certificate")
    parser.add_argument(
        "--key", required=True, metavar="PUBLIC", help="公钥或公钥文件 / the public key, or a file of it"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="KEPT",
        help="以前保存的检查点，日志须与之衔接 / a checkpoint kept from earlier, which the log must continue",
    )
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        data = content_of(options.certificate)
        kept = None if options.checkpoint is None else content_of(options.checkpoint)
        verdict = check(data, keys_from(options.key), kept)
    except OSError as error:
        sys.stderr.write(f"无法读取文件 / the file cannot be read: {error.filename}: {error.strerror}\n")
        return 2
    except NoKey as error:
        sys.stderr.write(f"公钥有误：{error.zh}\nNo usable key: {error.en}\n")
        return 2
    except NotCompared as error:
        sys.stderr.write(f"未能比较：{error.zh}\nNOT compared: {error.en}\n")
        return 1
    except NotWhole as error:
        sys.stderr.write(f"核对未通过：{error.zh}\nNOT whole: {error.en}\n")
        return 1
    sys.stdout.write("\n".join(report(verdict)) + "\n")
    return 0


def content_of(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MOST + 1)
    if len(data) > FILE_BYTES_MOST:
        fail(f"文件{path}过大", f"the file {path} is too large")
    # Some editors put a mark before what they save: it is part of nothing that was sealed or signed.
    return data.removeprefix(BYTE_ORDER_MARK)


if __name__ == "__main__":
    sys.exit(main())
