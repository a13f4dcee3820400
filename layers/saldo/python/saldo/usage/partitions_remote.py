"""Files are counted by a function that carries the engine, so that no other function needs to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.exact import plain
from saldo.kernel.periods import Period
from saldo.kernel.rounding import Rounding
from saldo.usage.model import (
    Aggregation,
    Counted,
    CountWindow,
    LatePolicy,
    Meter,
    Needs,
    OfWindows,
    Repeats,
    UsageDetail,
)
from saldo.usage.model_windows import Cutoff, Known
from saldo.usage.ports import Ask, LargeUsage

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Fields = Mapping[str, Any]


class CountedElsewhere:
    """`ports.LargeUsage` by a call of the function `count_usage`. Asking twice does no harm."""

    def __init__(self, client: LambdaClient, function: str, carried: Callable[[], Fields] = dict) -> None:
        """carried: what goes with each question besides, such as the id of what it is asked for."""
        self._client, self._function, self._carried = client, function, carried

    def count(self, asks: Sequence[Ask]) -> list[tuple[Counted, Cutoff]]:
        """See `ports.LargeUsage.count`. One call for each ask, so that an account's size bounds the time of a call."""
        return [_counted_from(one) for ask in asks for one in self._answer({"count": [ask_fields(ask)]})]

    def known(self, asks: Sequence[Ask]) -> list[Known]:
        """See `ports.LargeUsage.known`."""
        return [dict(one) for one in self._answer({"known": [ask_fields(ask) for ask in asks]})]

    def _answer(self, question: Fields) -> list[Any]:
        payload = json.dumps({**question, **self._carried()}).encode()
        answer = self._client.invoke(FunctionName=self._function, Payload=payload)
        found = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise Unavailable("usage in files could not be counted")
        if "refused" in found:
            raise Refusal(found["refused"]["code"], found["refused"]["message"])
        return list(found["answers"])


def answered(large: LargeUsage, question: Fields) -> dict[str, Any]:
    """What the function says: {count: [ask]} or {known: [ask]} → {answers: […]} or {refused: {code, message}}."""
    try:
        if "known" in question:
            return {"answers": [dict(one) for one in large.known([ask_from(f) for f in question["known"]])]}
        return {"answers": [_counted_fields(*one) for one in large.count([ask_from(f) for f in question["count"]])]}
    except Refusal as refusal:
        return {"refused": {"code": refusal.code, "message": refusal.message}}


def ask_fields(ask: Ask) -> dict[str, Any]:
    """An ask as JSON."""
    return {
        "account_id": ask.account_id,
        "zone": ask.zone,
        "meter": asdict(ask.meter) | {name: _number(getattr(ask.meter, name)) for name in _NUMBERS},
        "period": ask.period.as_text(),
        "needs": {"dimensions": list(ask.needs.dimensions), "amounts": ask.needs.amounts},
        "known": None if ask.known is None else dict(ask.known),
        "corrects": ask.corrects,
    }


_NUMBERS = ("factor", "percentile", "increment", "least")


def _number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def ask_from(fields: Fields) -> Ask:
    """The ask that JSON says."""
    needs = Needs(tuple(fields["needs"]["dimensions"]), fields["needs"]["amounts"])
    period = Period.from_text(fields["period"])
    meter = _meter_from(fields["meter"])
    return Ask(fields["account_id"], fields["zone"], meter, period, needs, fields["known"], fields["corrects"])


def _meter_from(fields: Fields) -> Meter:
    typed = {
        "aggregation": Aggregation(fields["aggregation"]),
        "filters": {name: tuple(values) for name, values in fields["filters"].items()},
        "group_by": tuple(fields["group_by"]),
        "late": LatePolicy(fields["late"]),
        "repeats": Repeats(fields["repeats"]),
        "per": CountWindow(fields["per"]) if fields["per"] else None,
        **{name: None if fields[name] is None else Decimal(fields[name]) for name in _NUMBERS},
        "of_windows": OfWindows(fields["of_windows"]),
        "rounding": Rounding(fields["rounding"]) if fields["rounding"] else None,
    }
    return Meter(**{**fields, **typed})


def _counted_fields(counted: Counted, cutoff: Cutoff) -> dict[str, Any]:
    detail = counted.detail
    by_value = None if detail.by_value is None else [[list(k), plain(v)] for k, v in detail.by_value.items()]
    return {
        "quantity": plain(counted.quantity),
        "amounts": None if detail.amounts is None else [plain(a) for a in detail.amounts],
        "by_value": by_value,
        "level": detail.level,
        "known": dict(cutoff.known),
        "arrivals": cutoff.arrivals,
    }


def _counted_from(fields: Fields) -> tuple[Counted, Cutoff]:
    by_value, amounts = fields["by_value"], fields["amounts"]
    detail = UsageDetail(
        amounts=None if amounts is None else tuple(map(Decimal, amounts)),
        by_value=None if by_value is None else {tuple(k): Decimal(v) for k, v in by_value},
        level=fields["level"],
    )
    return Counted(Decimal(fields["quantity"]), detail), Cutoff(fields["known"], fields["arrivals"])
