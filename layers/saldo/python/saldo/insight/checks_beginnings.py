"""Invariant 24 of what has no entry: whatever somebody made or set goes with the audit record of how it came there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from saldo.insight.model import Owner, Violation
from saldo.kernel.ids import is_double
from saldo.storage.items import Item

# Subjects of audit records that a record goes with, each of them.
Subjects = Callable[[Item], Iterable[str]]


def _by(field: str, item: Item) -> list[str]:
    return [item[field]] if item.get(field) else []


def _by_key(item: Item) -> list[str]:
    """The last part of its sort key."""
    return [item["sk"].rpartition("#")[2].removeprefix("!")]


def _version_of_plan(item: Item) -> list[str]:
    """One that is made for a subscription or a contract (`~`) goes with theirs; a run's plan is another thing."""
    return [version for version in _by_key(item) if "plan_id" in item and not version.startswith("~")]


def _each_of(field: str, item: Item) -> list[str]:
    return [one["id"] for one in item.get(field, ())]


def _changed_profile(item: Item) -> list[str]:
    """The first came with its account."""
    return [str(item["version"])] if item["version"] > 1 else []


# By kind of record: what names it, and the actions one of which tells how it came to be there.
BEGUN_BY: Mapping[str, list[tuple[Subjects, tuple[str, ...]]]] = {
    "account": [(partial(_by, "pk"), ("account.opened",))],
    "organisation": [(partial(_by, "pk"), ("organisation.registered",))],
    "entity": [(partial(_by, "pk"), ("entity.registered",))],
    "profile": [(_changed_profile, ("profile.changed",))],
    "product": [(_by_key, ("product.offered",))],
    "offer": [(_by_key, ("plan.offered",))],
    "plan": [(_version_of_plan, ("plan.published",))],
    "meter": [(_by_key, ("meter.defined",))],
    "subscription": [
        (partial(_by, "subscription_id"), ("subscription.started",)),
        (partial(_each_of, "changes"), ("subscription.changed",)),
    ],
    "wallet": [
        (partial(_each_of, "coupons"), ("coupon.added",)),
        (partial(_each_of, "credits"), ("credit.granted",)),
    ],
    "thresholds": [(partial(_each_of, "thresholds"), ("threshold.set",))],
    "order": [(partial(_by, "order_id"), ("order.received",))],
    "contract": [(partial(_by, "contract_id"), ("contract.signed",))],
    "invitation": [(partial(_by, "invitation_id"), ("invitation.sent",))],
    "approval": [(partial(_by, "approval_id"), ("approval.asked",))],
    "payment_method": [(partial(_by, "method_id"), ("method.started",))],
    "scheduled_payment": [(partial(_by, "scheduled_id"), ("payment.scheduled",))],
    "autopay_rule": [(partial(_by, "pk"), ("autopay.set",))],
    "debit": [(partial(_by, "debit_id"), ("autopay.announced",))],
    "promise": [(partial(_by, "promise_id"), ("promise.asked", "promise.made"))],
    "terms_request": [(partial(_by, "request_id"), ("terms.asked",))],
    "dispute": [(partial(_by, "dispute_id"), ("dispute.opened",))],
    "ticket": [(partial(_by, "ticket_id"), ("ticket.opened",))],
    "reminder": [(partial(_by, "reminder_id"), ("reminder.issued",))],
    "certificate": [(_by_key, ("certificate.added",))],
    "upload": [(_by_key, ("upload.asked",))],
    "bundle": [(partial(_by, "bundle_id"), ("bundle.asked",))],
    "pay_link": [(partial(_by, "invoice_id"), ("pay_link.opened",))],
    "proposal": [(partial(_by, "subject_id"), ("proposal.asked",))],
    "reference_rate": [(partial(_by, "sk"), ("reference_rate.added",))],
    "difference": [(partial(_by, "difference_id"), ("difference.found",))],
}
# Settings, of which an owner has one each: the action by which they are set.
SET_BY: Mapping[str, str] = {
    "access_review": "access.reviewed",
    "approval_policy": "approvals.policy_set",
    "billing": "billing_choices.changed",
    "correction_policy": "correction_policy.changed",
    "notices": "notices.chosen",
    "numbering": "numbering.changed",
    "own_taxes": "own_taxes.changed",
    "promise_limits": "promise_limits.changed",
    "rate_policy": "rate_policy.changed",
    "reminders": "reminders.changed",
    "signing_certificate": "entity.certificate_put",
    "sso_connection": "sso.connected",
    "support": "support.hours_set",
    "template": "template.published",
    "usage_files": "usage.kept_in_files",
}


def what_was_made_is_audited(owner: Owner) -> Iterator[Violation]:
    """A double is a copy: what it was copied from has the records."""
    if is_double(owner.id):
        return
    for kind, begun in BEGUN_BY.items():
        for item in owner.of(kind):
            for subjects, actions in begun:
                for subject in subjects(item):
                    if owner.audited.isdisjoint((action, subject) for action in actions):
                        said = f"{item['sk']}: {actions[0]} of {subject} has no audit record"
                        yield Violation(24, owner.id, said)


def what_was_set_is_audited(owner: Owner) -> Iterator[Violation]:
    if is_double(owner.id):
        return
    for kind, action in SET_BY.items():
        items = owner.of(kind)
        if items and action not in {done for done, _ in owner.audited}:
            yield Violation(24, owner.id, f"{items[0]['sk']}: {action} has no audit record")
