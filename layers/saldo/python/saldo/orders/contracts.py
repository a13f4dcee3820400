"""Use cases of contracts: sign, amend, accept a milestone or take that back, release what was kept back, end.

Every change is the contract's next version, kept for ever, written in one unit with what it causes: a milestone that
becomes billable has its item there, a service that goes live has its subscription.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from saldo.accounts.model import Account
from saldo.accounts.records import account_from
from saldo.audit.model import Actor
from saldo.catalog.model import PlanVersion
from saldo.catalog.records import plan_version_item
from saldo.catalog.rules import problems_of, version_in_force
from saldo.catalog.service import Catalog, PlanVersions
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.ids import fingerprint
from saldo.kernel.states import moved
from saldo.orders import records, records_contracts
from saldo.orders.items import withdraw_item
from saldo.orders.model_contracts import (
    CONTRACT_MOVES,
    Acceptance,
    Contract,
    ContractStatus,
    Milestone,
    MilestoneStatus,
    Service,
    Terms,
)
from saldo.orders.records_contracts import contract_from, contract_key, put_contract
from saldo.orders.rules_contracts import (
    check_contract,
    made_billable,
    milestone_item,
    retainage_item,
    retainage_to_release,
    taken_back,
    with_milestone,
)
from saldo.orders.rules_orders import check_day
from saldo.orders.rules_prices import is_recurring, negotiated_version, quantities_of
from saldo.orders.writing import audit
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.subscriptions.claims import MeterClaims
from saldo.subscriptions.model import Subscription
from saldo.subscriptions.rules_terms import problems_of_term
from saldo.subscriptions.service import start_in


class Contracts:
    """Contracts of one region's accounts. `version`: of the contract as the caller saw it; None takes the latest."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    # -- reading -----------------------------------------------------------------------------------------------

    def get(self, account_id: str, contract_id: str) -> Contract:
        item = self._store.get(*contract_key(account_id, contract_id))
        if item is None:
            raise NotFound(f"no such contract: {contract_id}")
        return contract_from(item)

    def of_account(self, account_id: str) -> list[Contract]:
        return records_contracts.contracts_of(self._store, account_id)

    def versions(self, account_id: str, contract_id: str) -> list[Contract]:
        """The contract as each change left it, oldest first; who changed it and why is in the account's audit
        records."""
        return records_contracts.versions_of(self._store, account_id, contract_id)

    # -- changing ----------------------------------------------------------------------------------------------

    def sign(self, contract: Contract, actor: Actor) -> bool:
        """Put a contract on record; milestones with a day of their own wait for it from now on.

        False when it was signed before on the same terms. Raises Refusal `invalid_contract` naming every fault,
        `contract_exists` when the id stands for another one.
        """
        self._check(contract, self._account(contract.account_id))
        unit, at = Unit(f"sign {contract.id}"), self._clock()
        new = self._with_due(unit, self._with_prices(unit, replace(contract, version=1), contract.terms))
        put_contract(unit, new, new=True)
        self._audit(unit, new, "contract.signed", actor, at)
        if self._store.write_one(unit) is None:
            return True
        first = self.versions(contract.account_id, contract.id)[:1]
        if first != [new]:
            raise Refusal("contract_exists", f"{contract.id} is already there and says something else")
        return False

    def amend(
        self,
        account_id: str,
        contract_id: str,
        terms: Terms,
        milestones: Sequence[Milestone] | None,
        actor: Actor,
        reason: str,
        *,
        version: int | None = None,
    ) -> Contract:
        """Let other terms hold from a day on, and put other milestones in place of those that are still planned.

        milestones: all that are planned from now on (None: as they are); those that were and are not among them are
        cancelled, those that are billable stay. Orders before the day keep the terms they were placed on.
        """
        before, at = self._seen(account_id, contract_id, version), self._clock()
        unit = Unit(f"amend {contract_id} {before.version}")
        kept = tuple(t for t in before.terms if t.effective_on < terms.effective_on)
        after = replace(before, milestones=_amended(before.milestones, milestones), version=before.version + 1)
        after = replace(after, terms=(*kept, terms))
        self._check(after, self._account(account_id))
        after = self._with_due(unit, self._with_prices(unit, after, (terms,)))
        return self._write(unit, after, "contract.amended", actor, at, reason)

    def accept(
        self,
        account_id: str,
        contract_id: str,
        milestone_id: str,
        on: date,
        document_ref: str,
        actor: Actor,
        *,
        version: int | None = None,
    ) -> Contract:
        """A milestone was accepted on a day: it is billed by the next run, and the services that waited for it start.

        Accepting it again by the same document changes nothing. Raises NotFound, Refusal `document_required`,
        `move_not_allowed`, `changed_meanwhile`.
        """
        if not document_ref.strip():
            raise Refusal("document_required", "name the record of acceptance")
        contract, at = self._seen(account_id, contract_id, version), self._clock()
        check_day(on, at.date())
        milestone = _milestone(contract, milestone_id)
        accepted = [a for a in milestone.acceptances if not a.withdrawn]
        if milestone.status is MilestoneStatus.BILLABLE and accepted and accepted[-1].document_ref == document_ref:
            return contract
        unit = Unit(f"accept {contract_id} {contract.version}")
        acceptance = Acceptance(actor.id, at, on, document_ref)
        after = self._billable(unit, contract, milestone, acceptance, on)
        after = self._started(unit, after, milestone_id, on, actor, at)
        after = replace(after, version=contract.version + 1)
        return self._write(unit, after, "contract.milestone_accepted", actor, at, document_ref)

    def take_back(self, account_id: str, contract_id: str, milestone_id: str, actor: Actor, reason: str) -> Contract:
        """Take an acceptance back before it is billed.

        Raises Refusal `already_billed` after (a credit note corrects that), `service_started` when a service went live
        with it, `already_released` after the final acceptance.
        """
        if not reason.strip():
            raise Refusal("reason_required", "say why, for those who look at it later")
        contract, at = self._seen(account_id, contract_id, None), self._clock()
        milestone = _milestone(contract, milestone_id)
        if contract.released_on is not None:
            raise Refusal("already_released", "what was kept back was released; correct it by a credit note")
        if any(s.milestone_id == milestone_id and s.subscription_id for s in contract.services):
            raise Refusal("service_started", "a service went live with it; cancel its subscription")
        unit = Unit(f"take back {contract_id} {contract.version}")
        if milestone.item_id:
            withdraw_item(unit, self._store, account_id, milestone.item_id)
        after = with_milestone(contract, taken_back(milestone, Acceptance(actor.id, at, at.date(), reason, True)))
        after = replace(after, version=contract.version + 1)
        return self._write(unit, after, "contract.acceptance_withdrawn", actor, at, reason)

    def release(self, account_id: str, contract_id: str, on: date, document_ref: str, actor: Actor) -> Contract:
        """The final acceptance: all that was kept back is billed by the next run. Refusal `milestones_open`,
        `already_released`."""
        if not document_ref.strip():
            raise Refusal("document_required", "name the record of acceptance")
        contract, at = self._seen(account_id, contract_id, None), self._clock()
        minor = retainage_to_release(contract)
        unit = Unit(f"release {contract_id} {contract.version}")
        if minor:
            records.add_item(unit, retainage_item(contract, minor, on))
        after = replace(contract, released_on=on, version=contract.version + 1)
        return self._write(unit, after, "contract.retainage_released", actor, at, document_ref)

    def end(self, account_id: str, contract_id: str, actor: Actor, reason: str) -> Contract:
        """End a contract for good: no order is matched with it any more. What was agreed before stays."""
        contract, at = self._seen(account_id, contract_id, None), self._clock()
        status = moved(CONTRACT_MOVES, contract.status, ContractStatus.ENDED)
        after = replace(contract, status=status, version=contract.version + 1)
        return self._write(Unit(f"end {contract_id}"), after, "contract.ended", actor, at, reason)

    # -- parts -------------------------------------------------------------------------------------------------

    def _with_due(self, unit: Unit, contract: Contract) -> Contract:
        """Milestones with a day of their own become billable from that day on."""
        for milestone in contract.milestones:
            if milestone.due_on is not None and milestone.status is MilestoneStatus.PLANNED:
                contract = self._billable(unit, contract, milestone, None, milestone.due_on)
        return contract

    def _billable(
        self, unit: Unit, contract: Contract, milestone: Milestone, acceptance: Acceptance | None, bill_on: date
    ) -> Contract:
        after = made_billable(contract, milestone, acceptance, bill_on)
        accepted_on = acceptance.on if acceptance else None
        waiting = milestone_item(contract, milestone, after.billed_minor or 0, bill_on, accepted_on)
        if waiting is not None:
            records.add_item(unit, waiting)
        return with_milestone(contract, after)

    def _started(
        self, unit: Unit, contract: Contract, milestone_id: str, on: date, actor: Actor, at: datetime
    ) -> Contract:
        """Services that waited for this milestone begin on the day it was accepted."""
        waiting = [s for s in contract.services if s.milestone_id == milestone_id and not s.subscription_id]
        claims = MeterClaims(self._store, contract.account_id, contract.entity_id)
        started = {s.id: self._start(unit, contract, s, on, actor, at, claims) for s in waiting}
        return replace(contract, services=tuple(started.get(s.id, s) for s in contract.services))

    def _start(
        self,
        unit: Unit,
        contract: Contract,
        service: Service,
        on: date,
        actor: Actor,
        at: datetime,
        claims: MeterClaims,
    ) -> Service:
        version = self._version_for(contract, service.plan_id, on)
        subscription = Subscription(
            id=f"sub_{fingerprint(contract.id, service.id)}",
            account_id=contract.account_id,
            entity_id=contract.entity_id,
            plan_version_id=version.id,
            started_on=on,
            anchor_on=on,
            quantities=quantities_of(version, service.quantity),
            purchase_order=contract.purchase_order,
            cost_centre=contract.cost_centre,
            term=service.term,
        )
        start_in(unit, subscription, self._account(contract.account_id), version, actor, at, claims)
        return replace(service, subscription_id=subscription.id)

    def _version_for(self, contract: Contract, plan_id: str, on: date) -> PlanVersion:
        """The version with the contract's price, else the one that is sold on the day. NotFound without."""
        terms = contract.terms_on(on) or contract.terms[-1]
        agreed = next((p.plan_version_id for p in terms.prices if p.plan_id == plan_id), "")
        if agreed:
            return PlanVersions(self._store).get_many([(contract.entity_id, agreed)])[contract.entity_id, agreed]
        found = self._in_force(self._sold(contract.entity_id), plan_id, contract, on)
        if found is None:
            raise NotFound(f"{plan_id} is not sold in {contract.currency} on {on}")
        return found

    def _in_force(self, sold: list[PlanVersion], plan_id: str, contract: Contract, on: date) -> PlanVersion | None:
        country = self._account(contract.account_id).country
        return version_in_force(sold, plan_id, contract.currency, country, on)

    def _sold(self, entity_id: str) -> list[PlanVersion]:
        return Catalog(self._store, self._clock).versions_of(entity_id)

    def _with_prices(self, unit: Unit, contract: Contract, changed: Sequence[Terms]) -> Contract:
        """Publish a version of each plan with its agreed price, so that runs bill it like any other."""
        problems, versions = Problems(), self._sold(contract.entity_id)
        terms = []
        for one in contract.terms:
            prices = list(one.prices)
            for i, price in enumerate(prices if one in changed else ()):
                base = self._in_force(versions, price.plan_id, contract, one.effective_on)
                if base is None:
                    problems.add(f"prices[{i}].plan_id", "unknown_plan", f"{price.plan_id} is not sold on that day")
                    continue
                try:
                    cause = f"{contract.id}-{contract.version}"
                    own = negotiated_version(base, cause, price.unit_price, price.component_id, price.minimum)
                except Refusal as refusal:
                    problems.add(f"prices[{i}].component_id", refusal.code, refusal.message)
                    continue
                problems.extend(problems_of(own), f"prices[{i}]")
                prices[i] = replace(price, plan_version_id=own.id)
                if all(w.key != (contract.entity_id, f"plan#{own.id}") for w in unit.writes):
                    unit.insert(plan_version_item(contract.entity_id, own))
            terms.append(replace(one, prices=tuple(prices)))
        problems.refuse_if_any("the contract is not sound", "invalid_contract")
        return replace(contract, terms=tuple(terms))

    def _check(self, contract: Contract, account: Account) -> None:
        check_contract(contract)
        problems = Problems()
        if account.currency != contract.currency:
            problems.add("currency", "other_currency", f"{account.id} is billed in {account.currency}")
        if account.entity_id != contract.entity_id:
            problems.add("entity_id", "other_seller", f"{account.id} buys from another legal entity")
        sold = self._sold(contract.entity_id)
        for i, service in enumerate(contract.services):
            version = version_in_force(sold, service.plan_id, contract.currency, account.country, contract.starts_on)
            if version is None or not is_recurring(version):
                problems.add(f"services[{i}].plan_id", "unknown_plan", f"{service.plan_id} is no plan that recurs")
            elif service.term is not None:
                problems.extend(problems_of_term(service.term, version), f"services[{i}]")
        problems.refuse_if_any("the contract is not sound", "invalid_contract")

    def _account(self, account_id: str) -> Account:
        item = self._store.get(account_id, "account")
        if item is None:
            raise NotFound("no such account")
        return account_from(item)

    def _seen(self, account_id: str, contract_id: str, version: int | None) -> Contract:
        contract = self.get(account_id, contract_id)
        if version is not None and contract.version != version:
            raise Refusal("changed_meanwhile", "the contract was changed by someone else; look at it and try again")
        return contract

    def _write(self, unit: Unit, after: Contract, action: str, actor: Actor, at: datetime, reason: str) -> Contract:
        put_contract(unit, after)
        self._audit(unit, after, action, actor, at, reason)
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "the contract was changed by someone else; look at it and try again")
        return after

    def _audit(self, unit: Unit, contract: Contract, action: str, actor: Actor, at: datetime, reason: str = "") -> None:
        states = {m.id: m.status.value for m in contract.milestones}
        after = {"version": contract.version, "status": contract.status.value, "milestones": states}
        audit(unit, contract.account_id, action, contract.id, actor, at, after, reason)


def _milestone(contract: Contract, milestone_id: str) -> Milestone:
    milestone = contract.milestone(milestone_id)
    if milestone is None:
        raise NotFound(f"{contract.id} has no milestone {milestone_id}")
    return milestone


def _amended(before: Sequence[Milestone], wanted: Sequence[Milestone] | None) -> tuple[Milestone, ...]:
    """Planned milestones as wanted; those left out cancelled; billable ones untouched."""
    if wanted is None:
        return tuple(before)
    asked = {m.id: m for m in wanted}
    found = []
    for milestone in before:
        there = asked.pop(milestone.id, None)
        if milestone.status is not MilestoneStatus.PLANNED:
            if there is not None and replace(there, acceptances=()) != _as_asked(milestone):
                raise Refusal("milestone_is_billable", f"{milestone.id} is {milestone.status}; take it back first")
            found.append(milestone)
        elif there is None:
            found.append(replace(milestone, status=MilestoneStatus.CANCELLED))
        else:
            found.append(replace(there, acceptances=milestone.acceptances))
    return (*found, *asked.values())


def _as_asked(milestone: Milestone) -> Milestone:
    """A milestone as it was before anything became of it."""
    return replace(milestone, status=MilestoneStatus.PLANNED, billed_minor=None, item_id="", acceptances=())
