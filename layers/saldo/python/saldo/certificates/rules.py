"""Decisions on certificates that customers hand in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

from saldo.accounts.model import Exemption
from saldo.certificates.model import MOVES, CertificateRequest, RequestState
from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.numbers import fits
from saldo.kernel.states import moved

MOST_NUMBER, MOST_WORDS, MOST_JURISDICTIONS = 60, 500, 60
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8}){0,3}")


def jurisdictions_from(text: str) -> frozenset[str]:
    """`US-NY, US-NJ` as people write them, separated by commas or blanks."""
    return frozenset(part for part in re.split(r"[,;\s]+", text.upper()) if part)


def check_request(
    number: str, jurisdictions: frozenset[str], from_on: date | None, until_on: date | None, percent: Decimal | None
) -> None:
    """percent: None for what is no number. Refusal `invalid_certificate_request` naming every field at fault."""
    problems = Problems()
    if not number.strip():
        problems.add("number", "certificate_number", "give the number on the certificate")
    elif len(number) > MOST_NUMBER:
        problems.add("number", "certificate_number", f"at most {MOST_NUMBER} characters")
    known = all(_JURISDICTION.fullmatch(one) for one in jurisdictions)
    if not jurisdictions or not known or len(jurisdictions) > MOST_JURISDICTIONS:
        problems.add("jurisdictions", "certificate_places", "name whose tax is not charged, such as US-NY")
    if percent is None or not (fits(percent) and 0 < percent <= 100):
        problems.add("percent", "certificate_percent", "more than 0 and at most 100")
    if from_on is None:
        problems.add("from", "invalid_date", "give the first day")
    if until_on is None:
        problems.add("until", "invalid_date", "give the first day on which it no longer holds")
    elif from_on is not None and until_on <= from_on:
        problems.add("until", "before_from", "it ends after it begins")
    problems.refuse_if_any("this certificate cannot be handed in so", "invalid_certificate_request")


def decided(request: CertificateRequest, state: RequestState, words: str = "") -> CertificateRequest:
    """Refusals `certificate_decided`; `invalid_certificate_request` without words for a refusal."""
    said, problems = words.strip(), Problems()
    if state is RequestState.REFUSED and not 0 < len(said) <= MOST_WORDS:
        problems.add("words", "words_required", f"say why, in at most {MOST_WORDS} characters")
    problems.refuse_if_any("say why", "invalid_certificate_request")
    try:
        state = moved(MOVES, request.state, state)
    except Refusal as refusal:
        raise Refusal("certificate_decided", "somebody has decided on this certificate already") from refusal
    return replace(request, state=state, words=said, revision=request.revision + 1)


def exemption_of(request: CertificateRequest) -> Exemption:
    """Its id follows from the upload's: a certificate is accepted once."""
    certificate_id = f"cert_{request.upload_id.removeprefix('upl_')}"
    days = request.from_on, request.until_on
    return Exemption(certificate_id, request.jurisdictions, frozenset(), *days, request.percent)
