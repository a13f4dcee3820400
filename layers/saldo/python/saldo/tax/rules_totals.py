"""How the taxes of a document's lines are summed and rounded: on top of amounts or within, on each other or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ZERO, plus
from saldo.kernel.money import Money, round_exact, split_by_weights
from saldo.kernel.rounding import Rounding, rounded_ratio
from saldo.tax.model import (
    NET,
    Collection,
    LineTax,
    Piece,
    TaxableLine,
    TaxBasis,
    TaxRounding,
    TaxShare,
    TaxTotal,
)

_NOTHING = Fraction(0)
_PER_LINE = (TaxRounding.LINE, TaxRounding.LINE_RESIDUAL, TaxRounding.UNIT)
Key = tuple[TaxShare, bool]


def tax_totals(
    lines: Sequence[TaxableLine],
    taxes: Sequence[LineTax],
    rounding: TaxRounding = TaxRounding.DOCUMENT,
    mode: Rounding = Rounding.HALF_UP,
) -> tuple[TaxTotal, ...]:
    """Base and tax per kind of tax, in the order they first appear; amounts rounded by `mode` to the minor unit.

    DOCUMENT: percent of the summed base, rounded once (EN 16931 BR-CO-17); for the others see TaxRounding. Of amounts
    that have their taxes in them the sum never moves: base and taxes make it up. `taxes` belong to `lines` one by one.
    """
    if rounding is TaxRounding.DOCUMENT and not any(line.inclusive for line in lines):
        plain = _plain_totals(lines, taxes, mode)
        if plain is not None:
            return plain
    found = _Totals(rounding, mode)
    for group in _groups(lines, [tax.shares for tax in taxes], rounding):
        found.add(group)
    return found.rounded()


def _plain_totals(
    lines: Sequence[TaxableLine], taxes: Sequence[LineTax], mode: Rounding
) -> tuple[TaxTotal, ...] | None:
    """The common case by the shortest way: percentages on top. None where there is any other tax."""
    bases: dict[TaxShare, int] = {}
    for line, tax in zip(lines, taxes, strict=True):
        for share in tax.shares:
            bases[share] = bases.get(share, 0) + line.net_minor
    if not all(share.is_percentage for share in bases):
        return None
    return tuple(_total((s, False), base, percent_of(base, s.percent, mode)) for s, base in bases.items())


def line_taxes(
    lines: Sequence[TaxableLine],
    shares: Sequence[tuple[TaxShare, ...]],
    rounding: TaxRounding,
    mode: Rounding = Rounding.HALF_UP,
) -> tuple[LineTax, ...]:
    """The taxes line by line; where amounts have taxes in them, with each line's part of the rounded tax."""
    if not any(line.inclusive for line in lines):
        return tuple(LineTax(line.id, taxes) for line, taxes in zip(lines, shares, strict=True))
    included: dict[str, int] = {}
    for group in _groups(lines, shares, rounding):
        if group.inclusive:
            included.update(_spread(group, group.charged(group.amounts(rounding, mode))))
    return tuple(LineTax(line.id, taxes, included.get(line.id, 0)) for line, taxes in zip(lines, shares, strict=True))


def _spread(group: _Group, tax: int) -> dict[str, int]:
    """A tax over lines in proportion, so that the parts add up: each is what the running total grows by."""
    if group.net == 0:  # nothing to go by: a levy on what costs nothing
        return {line.id: tax if n == 0 else 0 for n, line in enumerate(group.lines)}
    parts, done, running, sign = {}, 0, 0, 1 if group.net > 0 else -1
    for line in group.lines:
        running += line.net_minor
        upto = rounded_ratio(tax * running * sign, abs(group.net))
        parts[line.id] = upto - done
        done = upto
    return parts


def _groups(
    lines: Sequence[TaxableLine], shares: Sequence[tuple[TaxShare, ...]], rounding: TaxRounding
) -> Iterable[_Group]:
    """Lines that are taxed together: by line with its discounts, or all that bear the same taxes."""
    groups: dict[object, _Group] = {}
    for line, taxes in zip(lines, shares, strict=True):
        key = (line.of or line.id, taxes) if rounding in _PER_LINE else (taxes, line.inclusive)
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(taxes, line.inclusive)
        group.take(line, rounding)
    return groups.values()


@dataclass(slots=True)
class _Group:
    """Lines that bear the same taxes. Amounts in minor units; `exact` is what percentages are taken of."""

    shares: tuple[TaxShare, ...]
    inclusive: bool
    lines: list[TaxableLine] = field(default_factory=list)
    net: int = 0
    exact: int | Fraction = 0
    quantity: Decimal = ZERO
    exact_of: dict[str, int | Fraction] = field(default_factory=dict)
    reckoned: list[tuple[TaxShare, tuple[Fraction, Fraction]]] = field(default_factory=list)

    def take(self, line: TaxableLine, rounding: TaxRounding) -> None:
        self.lines.append(line)
        self.net += line.net_minor
        if rounding is TaxRounding.UNROUNDED and line.exact is not None:
            amount, part, whole = line.exact
            self.exact_of[line.id] = Fraction(amount) * Fraction(part, whole)
        else:
            self.exact_of[line.id] = line.net_minor
        self.exact += self.exact_of[line.id]
        if not line.of:
            self.quantity += line.quantity

    def net_of_tax(self) -> Fraction:
        """The exact net amount: what with its taxes makes the sum, where amounts have them in them."""
        if not self.inclusive:
            return Fraction(self.exact)
        at_zero = self._on_price(Fraction(0))
        slope = 1 + self._on_price(Fraction(1)) - at_zero
        return (self.exact - at_zero) / slope

    def _on_price(self, net: Fraction) -> Fraction:
        return sum(
            (_before(share, tax) for share, (_, tax) in zip(self.shares, self._taxes(net), strict=True)), _NOTHING
        )

    def _taxes(self, net: Fraction) -> list[tuple[Fraction, Fraction]]:
        """What each tax is a percentage of, and what it comes to, neither rounded."""
        found: list[tuple[Fraction, Fraction]] = []
        for share in self.shares:
            base, more = self._base(share, net, found), Fraction(share.levy_minor) * Fraction(self.quantity)
            if share.basis is not None and share.basis.is_bounded:
                base, more = self._bounded(share, share.basis)
            found.append((base, base * Fraction(share.percent) / 100 + more))
        return found

    def _base(self, share: TaxShare, net: Fraction, before: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
        """What a tax in proportion is a percentage of, given those before it on the line."""
        charged: dict[str, Fraction] = {}
        for other, (_, tax) in zip(self.shares, before, strict=False):
            charged[other.name] = charged.get(other.name, _NOTHING) + _before(other, tax)
        basis = share.basis
        if basis is None:
            return net + sum(charged.values(), _NOTHING) if share.compound else net
        missing = [name for name in basis.of if name != NET and name not in charged]
        if missing:
            raise Refusal("tax_undecidable", f"{share.name} is due on {missing[0]}, which is not charged before it")
        base = sum((net if name == NET else charged[name] for name in basis.of), _NOTHING)
        if basis.within:
            base = base / (1 - sum(Fraction(s.percent) / 100 for s in self.shares if s.basis and s.basis.within))
        return base * Fraction(basis.part) / 100

    def _bounded(self, share: TaxShare, basis: TaxBasis) -> tuple[Fraction, Fraction]:
        """What of the lines is taxed within the bounds, and by how much the tax differs from its percentage of it."""
        if self.inclusive:
            why = f"{share.name} has bounds, which amounts with their taxes in them cannot be held against"
            raise Refusal("tax_undecidable", why)
        if basis.of_document:
            return Fraction(self.exact), _NOTHING
        pieces: dict[str, tuple[Fraction, Fraction]] = {}
        for line in self.lines:
            amount, quantity = pieces.get(line.of or line.id, (_NOTHING, _NOTHING))
            more = _NOTHING if line.of else Fraction(line.quantity)
            pieces[line.of or line.id] = amount + self.exact_of[line.id], quantity + more
        by_unit = basis.piece is Piece.UNIT
        parts = [taxed_piece(share, basis, a, abs(n) if by_unit and n else Fraction(1)) for a, n in pieces.values()]
        return sum((base for base, _ in parts), _NOTHING), sum((more for _, more in parts), _NOTHING)

    def exact_bases(self) -> list[Fraction]:
        """What each tax is a percentage of."""
        return [base for _, (base, _) in self._with_shares()]

    def charged(self, amounts: Sequence[int]) -> int:
        """The sum of those amounts, one per tax, that are on the buyer's price."""
        pairs = zip(amounts, self.shares, strict=True)
        return sum(amount for amount, share in pairs if share.collection is not Collection.WITHHELD)

    def amounts(self, rounding: TaxRounding, mode: Rounding) -> list[int]:
        """Each tax of this group by itself, rounded; with LINE_RESIDUAL they add up to their rounded sum."""
        exact = [_NOTHING if _of_document(s) else tax for s, (_, tax) in self._with_shares()]
        units = Fraction(self.quantity)
        if rounding is TaxRounding.UNIT and units and (self.net / units).denominator == 1:
            exact = [round_exact(tax / units, mode) * units for tax in exact]
        amounts = [round_exact(tax, mode) for tax in exact]
        if rounding is TaxRounding.LINE_RESIDUAL and amounts:
            amounts[0] += round_exact(sum(exact, _NOTHING), mode) - sum(amounts)
        return amounts

    def _with_shares(self) -> list[tuple[TaxShare, tuple[Fraction, Fraction]]]:
        """Reckoned once, when all lines are in."""
        if not self.reckoned:
            self.reckoned = list(zip(self.shares, self._taxes(self.net_of_tax()), strict=True))
        return self.reckoned

    def beyond_percent(self) -> list[Fraction]:
        """By how much each tax differs from its percentage of its base: levies, and what bounds make of it."""
        return [tax - base * Fraction(share.percent) / 100 for share, (base, tax) in self._with_shares()]


def _before(share: TaxShare, tax: Fraction) -> Fraction:
    """What of a tax those after it are charged on: nothing of one that is not on the buyer's price."""
    return _NOTHING if share.collection is Collection.WITHHELD else tax


def _on_all(taxed: TaxShare, rest: TaxShare) -> bool:
    """Whether a tax and what is exempt from it are on the net amount and nothing else, all of it."""
    if taxed.basis is None or rest.basis is None or taxed.basis.is_bounded:
        return False
    return taxed.basis.of == (NET,) and plus(taxed.basis.part, rest.basis.part) == 100


def _of_document(share: TaxShare) -> bool:
    return share.basis is not None and share.basis.of_document


def taxed_piece(share: TaxShare, basis: TaxBasis, amount: Fraction, pieces: Fraction) -> tuple[Fraction, Fraction]:
    """What of an amount, which so many like pieces make up, is taxed, and what its tax is besides the percentage.

    A minor unit or more below a bound is below it; what is taken off goes with its sign turned round.
    """
    each, sign = abs(amount) / pieces, -1 if amount < 0 else 1
    if (basis.least_minor is not None and each < basis.least_minor) or (
        basis.below_minor is not None and each >= basis.below_minor
    ):
        return _NOTHING, _NOTHING
    upper = each if basis.up_to_minor is None else min(each, Fraction(basis.up_to_minor))
    taxed = max(upper - Fraction(basis.above_minor or 0), _NOTHING) * Fraction(basis.part) / 100
    tax = taxed * Fraction(share.percent) / 100 + (Fraction(basis.once_minor) if taxed else 0)
    if basis.most_tax_minor is not None:
        tax = min(tax, Fraction(basis.most_tax_minor))
    base = sign * taxed * pieces
    return base, sign * tax * pieces - base * Fraction(share.percent) / 100


@dataclass(slots=True)
class _Sum:
    base: Fraction = _NOTHING
    net: int = 0
    beyond: Fraction = _NOTHING
    rounded: int = 0
    rest_of: Key | None = None


@dataclass(slots=True)
class _Totals:
    rounding: TaxRounding
    mode: Rounding
    sums: dict[Key, _Sum] = field(default_factory=dict)

    def add(self, group: _Group) -> None:
        amounts = group.amounts(self.rounding, self.mode) if self._by_group(group) else [0] * len(group.shares)
        bases = group.exact_bases() if self._by_base(group) else [Fraction(group.exact)] * len(group.shares)
        nets = self._nets(group, bases, amounts)
        for n, (share, beyond) in enumerate(zip(group.shares, group.beyond_percent(), strict=True)):
            entry = self.sums.setdefault((share, group.inclusive), _Sum())
            entry.base += bases[n]
            entry.beyond += beyond
            entry.rounded += amounts[n]
            entry.net += nets[n]
            if n and share.is_rest_of(group.shares[n - 1]):
                entry.rest_of = group.shares[n - 1], group.inclusive

    def _nets(self, group: _Group, bases: Sequence[Fraction], amounts: Sequence[int]) -> list[int]:
        """What of the group's lines each tax is on, where that is rounded group by group; else all of it."""
        net = group.net - group.charged(amounts) if group.inclusive else group.net
        if not self._by_group(group):
            return [net] * len(group.shares)
        nets: list[int] = []
        for n, share in enumerate(group.shares):
            one = net if share.basis is None else round_exact(bases[n])
            if n and share.is_rest_of(group.shares[n - 1]):
                whole = net if _on_all(group.shares[n - 1], share) else round_exact(bases[n - 1] + bases[n])
                one = whole - nets[n - 1]
            nets.append(one + sum(amounts[:n]) if share.compound else one)
        return nets

    def _by_group(self, group: _Group) -> bool:
        return group.inclusive or self.rounding in _PER_LINE

    def _by_base(self, group: _Group) -> bool:
        return group.inclusive or any(share.compound or share.basis for share in group.shares)

    def rounded(self) -> tuple[TaxTotal, ...]:
        for (share, _), entry in self.sums.items():
            if share.basis is not None and share.basis.of_document:
                entry.base, entry.beyond = taxed_piece(share, share.basis, entry.base, Fraction(1))
        exact = {key: self._exact(key, entry) for key, entry in self.sums.items()}
        amounts = {key: self._amount(key, entry, exact[key]) for key, entry in self.sums.items()}
        on_top = {key: tax for key, tax in exact.items() if not key[1]}
        if self.rounding is TaxRounding.TOTAL and on_top:
            amounts |= self._once(on_top)
        return tuple(_total(key, self._base(key, entry), amounts[key]) for key, entry in self.sums.items())

    def _exact(self, key: Key, entry: _Sum) -> Fraction:
        base = self._base(key, entry) if key[0].compound or key[0].basis else entry.base
        return base * Fraction(key[0].percent) / 100 + entry.beyond

    def _amount(self, key: Key, entry: _Sum, exact: Fraction) -> int:
        return entry.rounded if self._summed(key) else round_exact(exact, self.mode)

    def _base(self, key: Key, entry: _Sum) -> int:
        rounded = (key[0].compound or key[0].basis) and not self._summed(key)
        if rounded and entry.rest_of:
            return self._rest(key, entry, entry.rest_of)
        return round_exact(entry.base) if rounded else entry.net

    def _rest(self, key: Key, entry: _Sum, of: Key) -> int:
        """What is left of the amount; where the tax is on other lines besides, a tie goes the other way than there."""
        taxed = self.sums[of]
        if taxed.net == entry.net and _on_all(of[0], key[0]):
            return entry.net - self._base(of, taxed)
        return round_exact(entry.base, Rounding.HALF_DOWN)

    def _summed(self, key: Key) -> bool:
        """Whether a tax is the sum of what was rounded line by line, or within what has it in it."""
        return (key[1] or self.rounding in _PER_LINE) and not _of_document(key[0])

    def _once(self, exact: dict[Key, Fraction]) -> dict[Key, int]:
        """The sum of all taxes rounded once, and its parts by largest remainder."""
        if min(exact.values()) < 0 or not any(exact.values()):
            return {key: round_exact(tax, self.mode) for key, tax in exact.items()}
        whole = Money(round_exact(sum(exact.values(), Fraction(0)), self.mode), "XXX")
        parts = split_by_weights(whole, list(exact.values()))
        return {key: part.minor for key, part in zip(exact, parts, strict=True)}


def _total(key: Key, base: int, tax: int) -> TaxTotal:
    s, included = key
    kind = s.jurisdiction, s.name, s.treatment, s.percent
    return TaxTotal(*kind, base, tax, s.reason, s.compound, s.levy_minor, s.collection, included, s.basis)


def percent_of(net_minor: int, percent: Decimal, mode: Rounding = Rounding.HALF_UP) -> int:
    """A percentage of an amount in minor units; ties go as the mode says, away from zero by default."""
    numerator, denominator = percent.as_integer_ratio()
    return rounded_ratio(net_minor * numerator, denominator * 100, mode)
