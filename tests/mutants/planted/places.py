"""Bugs in where an account is taxed and since when, and in what is thought ahead of a run."""

from __future__ import annotations

from tests.mutants.model import Mutant, planted

_EXPECTED = "tests/unit/invoicing/test_expected_totals.py"
_AHEAD = "tests/contexts/usage/test_thresholds.py"
_PART = "tests/property/test_part_exemptions.py"
_DATED = "tests/unit/tax/test_dated_registrations.py"
_ABROAD = "tests/contexts/test_moving_abroad.py"

MUTANTS: tuple[Mutant, ...] = (
    planted(
        "the tax id of the country that is left still counts",
        "missing condition",
        "accounts/rules_details.py",
        "if moves and profile.tax_id and _plain(profile.tax_id) == _plain(before.tax_id):",
        "if moves and profile.tax_id and profile.tax_id == before.tax_id:",
        _ABROAD,
    ),
    planted(
        "what was known of the old tax id is kept for the new country",
        "missing condition",
        "accounts/service.py",
        "or new.tax_id != before.tax_id or moves:",
        "or False:",
        _ABROAD,
    ),
    planted(
        "a certificate of the country that is left ends in the records of certificates alone",
        "lost field",
        "accounts/records.py",
        'fields["exemptions"] = exemptions_field(after.exemptions)',
        'fields["exemptions"] = exemptions_field(before.exemptions)',
        _ABROAD,
    ),
    planted(
        "a customer moves itself to a country without tax",
        "missing condition",
        "accounts/service.py",
        'if actor.kind == "user" and profile.address.country != before.address.country:',
        'if actor.kind == "robot" and profile.address.country != before.address.country:',
        _ABROAD,
    ),
    planted(
        "a registration that has ended goes on",
        "missing case",
        "tax/model.py",
        "for place, days in self.dated if day not in days}",
        "for place, days in self.dated if day < days.start}",
        _DATED,
    ),
    planted(
        "an estimate is asked about again without the days of registrations",
        "lost field",
        "tax/codec.py",
        "sorted(seller.registrations), seller.postcode, *dated],",
        "sorted(seller.registrations), seller.postcode],",
        _DATED,
    ),
    planted(
        "of an odd cent both parts of an exemption take one",
        "wrong rounding",
        "tax/rules_totals.py",
        "return entry.net - self._base(of, taxed)",
        "return round_exact(entry.base)",
        _PART,
    ),
    planted(
        "what is exempt line by line is rounded by itself",
        "wrong rounding",
        "tax/rules_totals.py",
        "one = whole - nets[n - 1]",
        "one = round_exact(bases[n])",
        _PART,
    ),
    planted(
        "what a credit note takes back of an exempt part is rounded by itself",
        "wrong rounding",
        "invoicing/rules_credit_notes.py",
        "base_minor=_part(both, amount, billed) - taxed.base_minor)",
        "base_minor=total.base_minor)",
        _PART,
    ),
    planted(
        "a certificate for a part exempts from all of it",
        "lost field",
        "accounts/codec.py",
        "part = [] if exemption.is_whole else",
        "part = [] if not exemption.taxes else",
        _PART,
    ),
    planted(
        "a look ahead asks the tax service of the run",
        "lost option",
        "invoicing/forecast.py",
        "replace(billing, tax=estimates())",
        "replace(billing)",
        _AHEAD,
    ),
    planted(
        "a tax that the table does not decide is told as nothing due",
        "missing case",
        "invoicing/model_forecast.py",
        "if any(body.tax_source == UNKNOWN for body in billed.bodies):",
        "if not billed.bodies:",
        _AHEAD,
    ),
    planted(
        "growth alone raises the alarm of what a run billed",
        "wrong sum",
        "invoicing/run/expected.py",
        """if held.get(f"{draft.account_id} {draft.currency}"):""",
        "if draft:",
        _EXPECTED,
    ),
    planted(
        "who is billed nothing any more is not missed",
        "missing case",
        "invoicing/run/expected.py",
        "        missing = set(set_aside)",
        """        missing = {key.split(" ")[0] for key in held}""",
        _EXPECTED,
    ),
    planted(
        "a month that was billed late counts twice in what is expected",
        "missing condition",
        "invoicing/run/expected.py",
        "for line in again if line.period.start == last[_charge(line)])",
        "for line in again)",
        _EXPECTED,
    ),
    planted(
        "of very many accounts some are in no part",
        "off by one",
        "invoicing/run/account_parts.py",
        "count = -(-accounts // HELD_AT_ONCE)",
        "count = accounts // HELD_AT_ONCE",
        _EXPECTED,
    ),
)
