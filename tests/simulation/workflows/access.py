"""What two people do together: a large credit note, the seller's bank, a role for a time; and consents, reviews."""

from __future__ import annotations

from saldo.access.access_grants import AccessGrants
from saldo.access.acting import ActingForCustomers
from saldo.access.elevation import Elevations
from saldo.access.model import Origin
from saldo.access.model_proposals import Decider, ProposalKind, ProposalState, Wish
from saldo.access.model_staff import Post, Staff, StaffPerson, StaffRole
from saldo.access.proposals import Proposals
from saldo.access.records_staff import staff_item, staff_key
from saldo.access.reviews import AccessReviews, Said
from saldo.access.staff import StaffDirectory
from saldo.accounts.bank_statements import BankStatements
from saldo.accounts.seller_details import BankDetails, SellerDetails
from saldo.audit.model import Actor
from saldo.invoicing.corrections import Corrections
from saldo.invoicing.staff_credits import StaffCredits
from saldo.storage.signing import KmsSigningKey
from saldo.storage.units import Unit
from tests.simulation.region import ENTITY_ID, Region
from tests.simulation.workflows import workflow
from tests.simulation.workflows.corrections import TAX, _asked, to_correct
from tests.simulation.workflows.scenes import account_id, founded

SECOND = Actor("staff_eu_second", "staff")
APPROVER = Decider(SECOND, frozenset({"finance_approver"}))
ADMIN = Decider(SECOND, frozenset({"administrator"}))
ONE = "staff_eu_one"
BANK = BankDetails("Nordbank", "DE02120300000000202051", "BYLADEM1001")


def _credits(region: Region) -> StaffCredits:
    return StaffCredits(Corrections(region.store, region.clock, TAX), _proposals(region))


def _proposals(region: Region) -> Proposals:
    return Proposals(region.store, region.clock)


@workflow("four eyes: a credit note", prepare=to_correct)
def credit(region: Region) -> None:
    """Asked by one, agreed to by another; both may do it again."""
    asked = _asked(region)
    if "note" not in region.notes:
        with region.undisturbed():
            region.notes["note"], _ = Corrections(region.store, region.clock, TAX).preview(asked)
    made = _ask_to_credit(region)
    _credits(region).agree(ENTITY_ID, made, region.notes["seen"], APPROVER)


def _ask_to_credit(region: Region) -> str:
    """However small the invoice, as one that takes two."""
    asked = _asked(region)
    note = region.notes["note"]
    content = {
        "account_id": asked.account_id, "invoice_id": asked.invoice_id, "note": "", "net_minor": None,
        "total_minor": None, "reason": asked.reason.value, "amounts": {}, "gives_minor": -note.total_minor,
    }  # fmt: skip
    may = frozenset({"finance_approver"})
    wish = Wish(ENTITY_ID, ProposalKind.CREDIT_NOTE, asked.invoice_id, content, "agreed", may, "r1")
    made = _proposals(region).ask(wish, asked.actor)
    region.notes["seen"] = made.digest
    return made.id


@workflow("four eyes: the seller's bank", prepare=founded)
def bank(region: Region) -> None:
    content = {"bank_name": BANK.bank_name, "iban": BANK.iban, "bic": BANK.bic}
    may = frozenset({"finance_approver"})
    wish = Wish(ENTITY_ID, ProposalKind.BANK_DETAILS, ENTITY_ID, content, "new bank", may, "r1")
    made = _proposals(region).ask(wish, Actor(ONE, "staff"))
    consent = _proposals(region).agreed_in(ENTITY_ID, made.id, made.kind, made.digest, APPROVER)
    statements = BankStatements(KmsSigningKey(region.client("kms"), "key-details"), "https://pay.example", region.clock)
    SellerDetails(region.store, region.clock, statements).change_bank(ENTITY_ID, BANK, SECOND, "new bank", consent)


@workflow("four eyes: agreed, then taken up", prepare=founded)
def taken_up(region: Region) -> None:
    """What no single unit can do is agreed to first; whoever carries it out uses the agreement up."""
    proposals = _proposals(region)
    wish = Wish(ENTITY_ID, ProposalKind.PAYMENT, "pay_1", {"minor": 1}, "due", frozenset({"finance_approver"}), "r1")
    made = proposals.ask(wish, Actor(ONE, "staff"))
    proposals.agree(ENTITY_ID, made.id, made.kind, made.digest, APPROVER)
    if proposals.get(ENTITY_ID, made.id).state is not ProposalState.DONE:
        unit = Unit("take up")
        proposals.taken_up_in(ENTITY_ID, made.id, made.kind, made.digest)(unit)
        region.store.write_one(unit)


@workflow("four eyes: refused and withdrawn", prepare=founded)
def refused(region: Region) -> None:
    proposals, may = _proposals(region), frozenset({"finance_approver"})
    for request in ("r1", "r2"):
        wish = Wish(ENTITY_ID, ProposalKind.REFUND, "pay_1", {"minor": 1}, "due", may, request)
        made = proposals.ask(wish, Actor(ONE, "staff"))
        if request == "r1":
            proposals.refuse(ENTITY_ID, made.id, made.digest, APPROVER, "not due")
        else:
            proposals.withdraw(ENTITY_ID, made.id, Actor(ONE, "staff"))


def staffed(region: Region) -> None:
    founded(region)
    posts = (Post(ENTITY_ID, StaffRole.SUPPORT, region.now), Post(ENTITY_ID, StaffRole.COLLECTOR, region.now))
    one, person = Staff(ONE, "en", posts, region.now), StaffPerson("one@seller.example", "One")
    region.store.put_many([staff_item(one, person, region.sealer())])


@workflow("staff: a role for a time", prepare=staffed)
def elevate(region: Region) -> None:
    elevations, staff = Elevations(region.store, region.clock, _proposals(region)), _one(region)
    role, actor = StaffRole.AR_ANALYST, Actor(ONE, "staff")
    if not staff.elevations:
        made = elevations.ask(staff, ENTITY_ID, role, 8, "month end", "r1", actor)
        elevations.agree(ENTITY_ID, made.id, made.digest, ADMIN)


@workflow("staff: one more role", prepare=staffed)
def grant(region: Region) -> None:
    grants = AccessGrants(region.store, region.clock, _proposals(region))
    made = grants.ask(ONE, ENTITY_ID, StaffRole.AR_ANALYST, "month end", "r1", Actor("staff_eu_third", "staff"))
    grants.agree(ENTITY_ID, made.id, made.digest, ADMIN)


@workflow("staff: review", prepare=staffed, apart={"access_review": "a review is named by when it was made"})
def review(region: Region) -> None:
    """As a person does, who looks before doing it again."""
    staff = _one(region)
    if len(staff.posts) == 2:
        said = [Said(ONE, p.role, p.role is StaffRole.SUPPORT, staff.version) for p in staff.posts]
        AccessReviews(region.store, region.clock).review(ENTITY_ID, said, SECOND)


@workflow("customer: consent given and taken back", prepare=founded)
def consent(region: Region) -> None:
    acting, customer = ActingForCustomers(region.store, region.clock), Actor("user_eu_admin", "user")
    acting.grant(account_id(0), 8, customer)
    found = region.store.get_many([(account_id(0), "account"), (ENTITY_ID, "entity")], consistent=True)
    account, entity = found[account_id(0), "account"], found[ENTITY_ID, "entity"]
    begun = acting.begin(account, entity, "en", Actor(ONE, "staff"), "they asked", Origin())
    acting.note(begun.session, ENTITY_ID, "/accounts/{account_id}", "")
    acting.end(begun.session, ENTITY_ID)
    acting.begin(account, entity, "en", Actor(ONE, "staff"), "they asked", Origin())
    acting.revoke(account_id(0), customer)


def _one(region: Region) -> Staff:
    return StaffDirectory(region.store, region.sealer()).staff(staff_key(ONE)[0])
