"""What the bodies of commands have in common."""

from __future__ import annotations

from api.rest import fields
from api.rest.schema import Schema
from ledger.commands.command import REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX


class CommandSchema(Schema):
    """What may be said with every step. A POST with nothing to say may leave its body out."""

    effective_on = fields.Day(
        allow_none=True, metadata={"description": "业务日期，缺省为今天 / business date, today by default"}
    )
    reference = fields.Words(
        allow_none=True,
        length_max=REFERENCE_LENGTH_MAX,
        metadata={"description": "文号、凭证号 / the document behind it"},
    )
    reason = fields.Words(allow_none=True, length_max=REASON_LENGTH_MAX, metadata={"description": "理由 / why"})


class AmountSchema(CommandSchema):
    amount = fields.Money(required=True, attribute="amount_fen")
