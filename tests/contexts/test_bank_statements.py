"""What a seller says of its bank account: signed by KMS, checked by anybody, and told for 90 days when it changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from saldo.accounts.bank_statements import BankStatements, checked
from saldo.accounts.model import BankStatement, LegalEntity
from saldo.accounts.records import entity_from, entity_item, facts_print
from saldo.accounts.rules_bank import KIND, change_told
from saldo.accounts.seller_details import BankDetails, SellerDetails
from saldo.kernel.errors import Refusal
from saldo.storage.jws import Forged, decoded, encoded, jwk_of, parts, signed, thumbprint
from saldo.storage.signing import KmsSigningKey
from saldo.storage.units import Unit
from tests.contexts.conftest import Region
from tests.contexts.sellers import CLERK, ENTITY, entity, register

ISSUER = "https://pay.rechenwerk.example"
NEW = BankDetails("Nordbank", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX")


def kms_key(region: Region) -> KmsSigningKey:
    made = region.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return KmsSigningKey(region.kms, made["KeyMetadata"]["KeyId"])


@pytest.fixture
def statements(region: Region) -> BankStatements:
    return BankStatements(kms_key(region), ISSUER, region.clock)


def of(seller: LegalEntity) -> BankStatement:
    assert seller.bank_statement is not None
    return seller.bank_statement


def agreed(_unit: Unit) -> None:
    """The second person."""


def moved(region: Region, statements: BankStatements, bank: BankDetails = NEW) -> LegalEntity:
    return SellerDetails(region.store, region.clock, statements).change_bank(ENTITY, bank, CLERK, "moved", agreed)


def test_a_library_of_somebody_else_checks_it_against_the_published_keys(statements: BankStatements) -> None:
    token = of(statements.signed(entity(), None)).signed
    key_set = KeySet.import_key_set(json.loads(json.dumps(statements.key_set())))
    found = jwt.decode(token, key_set, algorithms=["ES256"])
    assert found.header["typ"] == KIND and found.header["kid"] == key_set.keys[0].thumbprint()
    assert found.claims == {
        "iss": ISSUER,
        "iat": int(datetime(2026, 11, 1, 9, tzinfo=UTC).timestamp()),
        "seller": {"id": ENTITY, "name": "Rechenwerk GmbH"},
        "bank": {"name": "Spreebank", "iban": "DE02120300000000202051", "bic": "BYLADEM1001"},
        "since": "2026-11-01",
        "statement": 1,
    }
    assert checked(token, statements.key_set()["keys"]) == found.claims


def test_what_somebody_else_signs_as_the_standard_says_is_checked_by_us(statements: BankStatements) -> None:
    key = ECKey.generate_key("P-256")
    jwk = key.as_dict(private=False)
    token = jwt.encode({"alg": "ES256", "typ": KIND, "kid": thumbprint(jwk)}, {"statement": 7}, key)
    assert checked(token, [*statements.key_set()["keys"], jwk]) == {"statement": 7}


def test_a_letter_changed_a_key_exchanged_or_another_kind_is_noticed(
    region: Region, statements: BankStatements
) -> None:
    token, keys = of(statements.signed(entity(), None)).signed, statements.key_set()["keys"]
    head, claims, signature = token.split(".")
    said = json.loads(decoded(claims))
    robbed = encoded(json.dumps(said | {"bank": said["bank"] | {"iban": "DE89370400440532013000"}}).encode())
    other = kms_key(region)

    def headed(**changes: Any) -> str:
        return encoded(json.dumps(json.loads(decoded(head)) | changes).encode())

    wrong = {
        f"{head}.{robbed}.{signature}": "signature_wrong",
        f"{head}.{claims}.{encoded(bytes(64))}": "signature_wrong",
        f"{head}.{claims}.{signature[:-4]}": "signature_wrong",
        f"{headed(alg='none')}.{claims}.": "signature_kind",
        f"{headed(alg='HS256')}.{claims}.{signature}": "signature_kind",
        f"{headed(crit=['exp'])}.{claims}.{signature}": "signature_kind",
        signed(kms_of(statements), "receipt+jwt", said): "signature_kind",
        signed(other, KIND, said): "signature_key",
        f"{headed(kid=jwk_of(other.public())['kid'])}.{claims}.{signature}": "signature_key",
        "not.a.token": "signature_form",
        "": "signature_form",
        f"{token}.{signature}": "signature_form",
        "x" * 9000: "signature_form",
    }
    for forged, code in wrong.items():
        with pytest.raises(Forged) as refused:
            checked(forged, keys)
        assert refused.value.code == code, forged[:40]
    named_as_ours = jwk_of(other.public()) | {"kid": keys[0]["kid"]}
    with pytest.raises(Forged, match="none of these keys"):
        checked(token, [named_as_ours, {}, {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}])


def kms_of(statements: BankStatements) -> Any:
    return statements._key


def test_an_agreed_change_is_signed_in_the_unit_that_makes_it(region: Region, statements: BankStatements) -> None:
    accounts = register(region.store, region.sealer, region.clock)
    accounts.register_entity(statements.signed(entity(), None), CLERK)
    region.clock.advance(days=40)
    seller = moved(region, statements)
    assert accounts.entity(ENTITY) == seller == accounts.entity_as(ENTITY, facts_print(seller))
    told = of(seller)
    assert (told.number, told.since, told.before) == (2, date(2026, 12, 11), "2051")
    claims = checked(told.signed, statements.key_set()["keys"])
    assert claims["bank"]["iban"] == "DE89370400440532013000" and claims["statement"] == 2
    assert moved(region, statements) == seller, "the same again changes nothing, and signs nothing"


def test_nothing_is_signed_that_the_second_person_refuses(
    region: Region, statements: BankStatements, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(region.store, region.sealer, region.clock)

    def refuses(_unit: Unit) -> None:
        raise Refusal("not_agreed", "no")

    monkeypatch.setattr(statements, "signed", lambda *_: pytest.fail("signed before it was agreed"))
    with pytest.raises(Refusal, match="not_agreed"):
        SellerDetails(region.store, region.clock, statements).change_bank(ENTITY, NEW, CLERK, "moved", refuses)


def test_of_two_changes_at_once_one_is_signed_for_and_the_numbers_go_on(
    region: Region, statements: BankStatements
) -> None:
    accounts = register(region.store, region.sealer, region.clock)
    accounts.register_entity(statements.signed(entity(), None), CLERK)

    def meanwhile(_unit: Unit) -> None:
        accounts.register_entity(statements.signed(entity(name="Rechenwerk SE"), accounts.entity(ENTITY)), CLERK)

    with pytest.raises(Refusal, match="changed_meanwhile"):
        SellerDetails(region.store, region.clock, statements).change_bank(ENTITY, NEW, CLERK, "moved", meanwhile)
    assert [of(accounts.entity(ENTITY)).number, of(moved(region, statements)).number] == [2, 3]


def test_another_name_is_signed_anew_and_warns_nobody(region: Region, statements: BankStatements) -> None:
    first = statements.signed(entity(), None)
    region.clock.advance(days=10)
    assert statements.signed(entity(email="new@rechenwerk.example"), first).bank_statement == first.bank_statement
    renamed = of(statements.signed(entity(name="Rechenwerk SE", iban="DE02 1203 0000 0000 2020 51"), first))
    assert (renamed.number, renamed.since, renamed.before) == (2, of(first).since, "")
    assert checked(renamed.signed, statements.key_set()["keys"])["seller"]["name"] == "Rechenwerk SE"
    unsigned = of(statements.signed(entity(name="Rechenwerk SE"), entity()))
    assert (unsigned.number, unsigned.before) == (1, "")


def test_under_another_key_the_same_is_signed_anew_counts_on_and_goes_on_warning(
    region: Region, statements: BankStatements
) -> None:
    first = statements.signed(entity(), None)
    changed = statements.signed(entity(iban="DE89370400440532013000"), first)
    region.clock.advance(days=10)
    turned = BankStatements(kms_key(region), ISSUER, region.clock)
    anew = of(turned.signed(changed, changed))
    assert (anew.number, anew.since, anew.before) == (3, of(changed).since, "2051")
    assert checked(anew.signed, turned.key_set()["keys"])["statement"] == 3
    assert turned.signed(changed, replace(changed, bank_statement=anew)).bank_statement == anew, "once"


def test_a_change_is_told_for_ninety_days_and_beside_documents_of_before_for_ever() -> None:
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)
    since = date(2026, 11, 1)
    change = BankStatement(2, at, since, "2051", "a.b.c")
    assert change_told(change, since) is change_told(change, since + timedelta(days=89)) is change
    assert change_told(change, since + timedelta(days=90)) is None
    later = since + timedelta(days=400)
    assert change_told(change, later, since) is change_told(change, later, date(2025, 1, 1)) is change
    assert change_told(change, later, since + timedelta(days=1)) is None
    assert change_told(replace(change, before=""), since) is change_told(None, since) is None


def test_a_seller_reads_back_as_it_was_and_facts_without_a_statement_keep_their_name(
    statements: BankStatements,
) -> None:
    seller = statements.signed(entity(), None)
    assert entity_from(entity_item(seller)) == seller and entity_from(entity_item(entity())) == entity()
    assert facts_print(entity()) == "05a6c3m81shm9nr8wnhtev39ha", "documents name it"
    assert facts_print(seller) == facts_print(entity()), "documents say no word of a first account"
    again = statements.signed(replace(seller, iban="DE89370400440532013000"), seller)
    assert facts_print(again) != facts_print(replace(again, bank_statement=None))
    assert parts(of(seller).signed)[0]["typ"] == KIND
