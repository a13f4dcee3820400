"""Money in minor units, named roundings, and splits whose parts add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from saldo.kernel.errors import Refusal
from saldo.kernel.numbers import MOST_DIGITS, fits, number_in
from saldo.kernel.rounding import Rounding, rounded_ratio

Exact = int | Decimal | Fraction
_WIDE = Context(prec=400)  # the usual 28 digits would round amounts of more

# ISO 4217 (2024): currencies whose minor unit is not 2 digits.
_WHOLE = ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"]
_WHOLE += ["XAF", "XOF", "XPF"]
_MINOR_DIGITS = dict.fromkeys(_WHOLE, 0) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
_MINOR_DIGITS |= dict.fromkeys(["CLF", "UYW"], 4)


class CurrencyMismatch(Refusal):
    """Two currencies met in one sum. Saldo never converts silently."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__("currency_mismatch", f"{left} and {right} do not add")


def is_currency(text: str) -> bool:
    """Whether this has the form of an ISO 4217 code."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def minor_digits(currency: str) -> int:
    """Digits after the decimal point of a currency's minor unit (ISO 4217): 0, 2, 3 or 4."""
    return _MINOR_DIGITS.get(currency, 2)


def round_exact(value: Exact, rounding: Rounding = Rounding.HALF_UP) -> int:
    """Round an exact number to a whole one. Float is not accepted; the result never passes through one."""
    return rounded_ratio(*value.as_integer_ratio(), rounding)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in minor units (cents, yen, fils). Different currencies never add."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.minor) is int, "money is counted in whole minor units"
        assert len(self.currency) == 3 and self.currency.isupper(), f"not an ISO 4217 code: {self.currency!r}"

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def of_major(cls, amount: Exact, currency: str, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """From major units (euros), rounded once to the currency's minor unit by the named rounding."""
        return cls(round_exact(Fraction(amount) * 10 ** minor_digits(currency), rounding), currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """From a decimal string with no more digits than the currency has.

        Raises Refusal `invalid_amount` for anything else, so that no digit is dropped unseen.
        """
        amount = number_in(text.strip()) if isinstance(text, str) else None
        if amount is None:
            raise Refusal("invalid_amount", f"{text!r} is not a number")
        if not fits(amount):
            raise Refusal("invalid_amount", f"{text!r} is not a number of at most {MOST_DIGITS} digits")
        scaled = Fraction(amount) * 10 ** minor_digits(currency)
        if scaled.denominator != 1:
            raise Refusal("invalid_amount", f"{text} has more digits than {currency} has")
        return cls(scaled.numerator, currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)

    def times(self, factor: Exact, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """This amount times an exact factor, rounded once."""
        return Money(round_exact(Fraction(factor) * self.minor, rounding), self.currency)

    def as_decimal(self) -> Decimal:
        """Major units, with exactly the currency's digits (Decimal('12.50'))."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency), _WIDE)

    def __str__(self) -> str:
        return f"{self.as_decimal()} {self.currency}"


def sum_money(amounts: Sequence[Money], currency: str) -> Money:
    """The sum in `currency`; raises CurrencyMismatch when any amount is in another."""
    total = Money.zero(currency)
    for amount in amounts:
        total = total + amount
    return total


def split_by_weights(total: Money, weights: Sequence[Exact]) -> list[Money]:
    """Split so that the parts add up to the total exactly: largest remainder, ties to the earlier part.

    weights: zero or more each, not all zero. Works for negative totals (parts carry the total's sign).
    """
    shares = [Fraction(w) for w in weights]
    whole = sum(shares, Fraction(0))
    if whole <= 0 or min(shares) < 0:
        raise Refusal("invalid_weights", "weights must be zero or more and not all zero")
    sign = -1 if total.minor < 0 else 1
    parts = rounded_to_sum(abs(total.minor), [abs(total.minor) * share / whole for share in shares])
    return [Money(sign * part, total.currency) for part in parts]


def rounded_to_sum(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Exact numbers as whole ones that add up to the total: largest remainder, ties to the earlier.

    exact: of either sign; each goes to one of the two whole numbers next to it, and one that is whole stays. The total
    is their sum, or one of the whole numbers next to that.
    """
    found = [part.numerator // part.denominator for part in exact]
    short = total - sum(found)
    assert 0 <= short <= len(found), "the total is not a rounding of the sum"
    for i in sorted(range(len(found)), key=lambda i: (found[i] - exact[i], i))[:short]:
        found[i] += 1
    return found
