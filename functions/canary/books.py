"""What the canary has on record: a seller and a customer of its own, whose invoices, payments and credits meet nobody.

Its seller is a legal entity apart, with numbers of its own, no schedule and no bank: it stands in no figure of a real
seller, since all figures are by seller. Its tax comes from the table, so that no tax service hears of it; its customer
gets no mail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from saldo.access.model import Grant, Role, User
from saldo.access.service import Access
from saldo.accounts.model import Account, Address, BillingProfile, LegalEntity, Organisation, TaxStatus
from saldo.accounts.model_payment_terms import PaymentTerms
from saldo.accounts.service import Accounts
from saldo.audit.model import Actor, job
from saldo.invoicing.corrections import Corrections, CreditRequest
from saldo.invoicing.paying_back import PayBack, pay_back
from saldo.invoicing.records import InvoiceHeader, header_from
from saldo.invoicing.rules_corrections import Reason
from saldo.invoicing.run.cases import Billing
from saldo.invoicing.run.now import Invoices, OneOff
from saldo.invoicing.status import DocumentKind
from saldo.invoicing.wallet_records import wallet_from, wallet_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import canary_id
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import BALANCE, balances_from
from saldo.orders.model import Item
from saldo.storage.store import Store

_NOWHERE = Address(("Canary 1",), "00000", "Nowhere", "DE")
_PRICE = Decimal("1.19")
_NET_ZERO = (
    *(LedgerAccount.RECEIVABLES, LedgerAccount.REVENUE, LedgerAccount.TAX_PAYABLE),
    *(LedgerAccount.UNAPPLIED_CASH, LedgerAccount.CUSTOMER_CREDIT),
)


@dataclass(frozen=True, slots=True)
class Names:
    """The canary's ids in a region."""

    region_code: str

    @property
    def entity_id(self) -> str:
        return canary_id("ent", self.region_code)

    @property
    def organisation_id(self) -> str:
        return canary_id("org", self.region_code)

    @property
    def account_id(self) -> str:
        return canary_id("acct", self.region_code)

    @property
    def email(self) -> str:
        return f"canary@{self.region_code}.saldo.example"


class Books:
    """The canary's own records in one region."""

    def __init__(self, store: Store, accounts: Accounts, access: Access, billing: Billing, clock: Clock) -> None:
        self._store, self._accounts, self._access, self._billing = store, accounts, access, billing
        self._clock = clock
        self._actor: Actor = job("canary")

    def found(self, names: Names, password: str) -> None:
        """Put seller, customer and user on record where they are not yet; the last is what says that all are."""
        if self._store.get(names.account_id, "canary"):
            return
        self._accounts.register_entity(_seller(names), self._actor)
        self._accounts.register_organisation(Organisation(names.organisation_id, "Canary", "DE"), self._actor)
        self._accounts.open_account(_customer(names), _profile(names), self._actor)
        grants = (Grant(names.account_id, Role.PAYER),)
        user = User("", names.organisation_id, names.email, "Canary", "en", grants)
        self._access.enrol(user, password, self._actor)
        self._store.put_many([{"pk": names.account_id, "sk": "canary", "kind": "canary"}])

    def bill(self, names: Names, request: str) -> None:
        """Issue one invoice at once, through the steps of a run; none while one is open that a broken walk left."""
        if self.open_minor(names):
            return
        item = Item("", {"en": "Canary"}, _PRICE, tax_category="standard", revenue_tag="canary")
        issued = Invoices(self._billing, self._clock).issue_now(OneOff(names.account_id, request, (item,), self._actor))
        if not issued.invoices:
            raise Refusal("canary_not_billed", "; ".join(aside.code for aside in issued.set_aside))

    def open_minor(self, names: Names) -> int:
        return self._balances(names)[LedgerAccount.RECEIVABLES]

    def reverse(self, names: Names, request: str) -> None:
        """Credit every invoice that is not yet, and pay back what that leaves: also what earlier walks left behind."""
        for header in list(self._unreversed(names)):
            self._credit(header)
        left = wallet_from(self._store.get(*wallet_key(names.account_id))).credit_note_minor
        if left:
            pay_back(self._store, self._clock, PayBack(names.account_id, left, request, self._actor, "canary"))

    def _credit(self, header: InvoiceHeader) -> None:
        request = f"canary{header.invoice_id.rpartition('_')[2]}"
        asked = CreditRequest(header.account_id, header.invoice_id, request, Reason.CANCELLED, self._actor, "Canary")
        Corrections(self._store, self._clock, self._billing.tax).credit(asked)

    def nets_to_zero(self, names: Names) -> bool:
        """Nothing owed, earned, taxed, unapplied or left as credit; bank and clearing end even."""
        of = self._balances(names)
        money = of[LedgerAccount.BANK] + of[LedgerAccount.GATEWAY_CLEARING]
        return not money and not any(of[account] for account in _NET_ZERO)

    def _unreversed(self, names: Names) -> Iterator[InvoiceHeader]:
        """Invoices that still stand, newest first; the ledger says when all are found, however many lie before them."""
        of = self._balances(names)
        standing = -of[LedgerAccount.REVENUE] - of[LedgerAccount.TAX_PAYABLE]
        for item in self._store.query_all(names.account_id, prefix="invoice#", newest_first=True, consistent=True):
            if standing <= 0:
                return
            header = header_from(item)
            if header.number and header.document is DocumentKind.INVOICE:
                rest = header.total_minor - header.credited_minor
                standing -= rest
                if rest:
                    yield header

    def _balances(self, names: Names) -> Mapping[LedgerAccount, int]:
        balances = balances_from(self._store.get(names.account_id, BALANCE))
        return {account: sum(m for (_, a), m in balances.items() if a is account) for account in LedgerAccount}


def _seller(names: Names) -> LegalEntity:
    return LegalEntity(
        id=names.entity_id, name="Saldo canary", country="DE", region="", time_zone="Europe/Berlin", currency="EUR",
        number_prefix="CANARY", tax_registrations={}, address=_NOWHERE, bank_name="", iban="", bic="",
        email=names.email,
    )  # fmt: skip


def _customer(names: Names) -> Account:
    return Account(
        id=names.account_id, organisation_id=names.organisation_id, entity_id=names.entity_id, name="Canary",
        currency="EUR", time_zone="Europe/Berlin", country="DE", tax_region="", tax_status=TaxStatus.BUSINESS,
        has_tax_id=False, language="en", payment_terms=PaymentTerms(30), profile_version=1, deliver_by_email=False,
    )  # fmt: skip


def _profile(names: Names) -> BillingProfile:
    return BillingProfile(names.account_id, 1, "Canary", "Canary", _NOWHERE, "", (names.email,), "")
