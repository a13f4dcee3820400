"""Decisions on approval chains: how many must agree, and who may (segregation of duties)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from saldo.kernel.errors import Problems, Refusal
from saldo.kernel.ids import fingerprint
from saldo.payments.model import Allocation
from saldo.payments.model_approvals import Approval, ApprovalPolicy, ApprovalState, Decider, Delegation, Level, Step

HOLDS = timedelta(days=14)
MOST_LEVELS, MOST_APPROVERS = 5, 10
_LONGEST_ABSENCE = timedelta(days=180)


def check_policy(policy: ApprovalPolicy) -> None:
    """Refusal `invalid_policy` with every problem."""
    problems = Problems()
    for currency, levels in policy.levels.items():
        limits = [level.above_minor for level in levels]
        if not 1 <= len(levels) <= MOST_LEVELS or limits != sorted(set(limits)) or min(limits, default=0) < 0:
            problems.add(currency, "levels", f"1 to {MOST_LEVELS} levels, each above another amount, rising from 0")
        if any(len(level.approvers) > MOST_APPROVERS for level in levels):
            problems.add(currency, "approvers", f"a level names at most {MOST_APPROVERS} people")
    problems.refuse_if_any("not a policy of approvals", "invalid_policy")


def levels_for(policy: ApprovalPolicy | None, currency: str, amount_minor: int) -> tuple[Level, ...]:
    """What an amount needs, first level first; empty where it needs nobody.

    amount_minor: the larger of what is paid and of what is open on the chosen invoices, so that paying a large
    invoice in small parts goes round nobody.
    """
    levels = policy.levels.get(currency, ()) if policy else ()
    return tuple(level for level in levels if amount_minor > level.above_minor)


def content_of(allocations: Sequence[Allocation], reason: str) -> str:
    """Print of what is agreed to: amounts, invoices, reason."""
    return fingerprint(reason, *(f"{a.invoice_id}={a.minor}" for a in allocations))


def on_behalf(
    approval: Approval, decider: Decider, delegations: Iterable[Delegation], now: datetime, today: date
) -> str | None:
    """Whether this person may agree now: "" for themselves, a user id in whose place, None when not at all.

    Never the payer, never the payer's delegate for the payer, never twice in one chain.
    """
    step = approval.step
    if approval.state is not ApprovalState.WAITING or step is None or now >= approval.expires_at:
        return None
    acted = {s.by for s in approval.steps} | {s.in_place_of for s in approval.steps}
    if decider.user_id == approval.payer or decider.user_id in acted:
        return None
    if decider.user_id in step.approvers or (not step.approvers and decider.is_approver):
        return ""
    for delegation in delegations:
        absent = delegation.user_id
        fits = absent in step.approvers or not step.approvers
        stands_in = delegation.to == decider.user_id and delegation.holds(today)
        if stands_in and fits and absent != approval.payer and absent not in acted:
            return absent
    return None


def agreed(approval: Approval, by: str, in_place_of: str, now: datetime) -> Approval:
    """With one more who agreed; AGREED when that was the last."""
    at = approval.steps.index(approval.step) if approval.step else len(approval.steps)
    done = replace(approval.steps[at], by=by, in_place_of=in_place_of, at=now)
    steps = (*approval.steps[:at], done, *approval.steps[at + 1 :])
    state = ApprovalState.AGREED if all(step.by for step in steps) else ApprovalState.WAITING
    return replace(approval, steps=steps, state=state)


def steps_of(levels: Sequence[Level]) -> tuple[Step, ...]:
    return tuple(Step(level.approvers) for level in levels)


def check_delegation(delegation: Delegation, today: date) -> None:
    """Refusal `invalid_delegation` with every problem."""
    problems = Problems()
    if delegation.to == delegation.user_id:
        problems.add("to", "yourself", "somebody else stands in")
    if delegation.until_on < max(delegation.from_on, today):
        problems.add("until", "before_from", "the last day lies before the first, or is past")
    elif delegation.until_on - delegation.from_on > _LONGEST_ABSENCE:
        problems.add("until", "too_long", f"at most {_LONGEST_ABSENCE.days} days")
    problems.refuse_if_any("nobody can stand in like this", "invalid_delegation")


def check_startable(approval: Approval | None, content: str, payer: str, now: datetime) -> None:
    """Refusal `approval_needed` without one, `approval_void` for another payment's, a late or an incomplete one."""
    if approval is None:
        raise Refusal("approval_needed", "this payment needs somebody else's approval first")
    complete = approval.state is ApprovalState.AGREED and now < approval.expires_at
    if not complete or approval.content != content or approval.payer != payer:
        raise Refusal("approval_void", "this is not what was approved; ask again")
