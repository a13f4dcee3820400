"""Subscriptions, their terms and their changes, as they are asked for and told."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import ConfigDict, Field

from functions.api.v1.models import Amount, Day, Decimals, Model, Out


class ChangeOut(Out):
    """Something agreed for a day."""

    kind: str = Field(examples=["quantities"])
    effective_on: date


class TermOut(Out):
    """For how long a subscription is sold at a time; it renews itself unless it is cancelled."""

    unit: str = Field(examples=["month"])
    count: int = Field(examples=[12])
    notice_days: int = Field(description="So many days before its end a cancellation is to come.")
    announce_days: int = Field(description="So long ahead the customer is told that it renews.")
    uplift_percent: Decimals = Field(description="Prices rise by it at each renewal.")
    newest_price: bool = Field(description="At each renewal it moves to the newest version of its plan.")


class SubscriptionOut(Out):
    """An account's use of a version of a plan. `next_bill_on` is null when nothing is left to bill."""

    id: str
    url: str = Field(description="Where this subscription is.")
    account: str
    plan_version: str
    status: str = Field(examples=["active"])
    started_on: date
    trial_end_on: date | None
    cancelled_on: date | None
    next_bill_on: date | None
    billed_through: date | None
    quantities: dict[str, Decimals] = Field(description="By component; 1 of those that are not named.")
    purchase_order: str
    cost_centre: str
    changes: list[ChangeOut]
    term: TermOut | None


class SubscriptionList(Out):
    """All of an account's subscriptions."""

    data: list[SubscriptionOut]


class TermIn(Model):
    """For how long it is sold at a time: a whole number of the plan's cycles, renewed until it is cancelled."""

    model_config = ConfigDict(extra="forbid")

    unit: Literal["day", "week", "month", "quarter", "year"]
    count: int = Field(1, ge=1, le=1200)
    notice_days: int = Field(0, ge=0, description="So many days before its end a cancellation is to come.")
    announce_days: int | None = Field(
        None, description="So long ahead the customer is told; 30, or a week more than the notice, where left out."
    )
    uplift_percent: Amount | None = Field(None, description="Prices rise by it at each renewal.")
    newest_price: bool = Field(False, description="At each renewal it moves to the newest version of its plan.")


class SubscriptionIn(Model):
    """What an account buys. Days are those of the account's time zone."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = Field(None, description="`sub_…`; names it for ever.", examples=["sub_eu_kontor_core"])
    plan_version: str = Field(min_length=1)
    started_on: Day
    alignment: Literal["anniversary", "calendar"] = "anniversary"
    anchor_on: Day | None = Field(None, description="The day from which anniversary cycles count.")
    trial_end_on: Day | None = Field(None, description="The first day that costs something.")
    quantities: dict[str, Amount] | None = Field(None, description="By component; 1 of those that are not named.")
    purchase_order: str | None = None
    cost_centre: str | None = None
    term: TermIn | None = Field(None, description="Left out, it goes on until it is cancelled.")


class ChangeIn(Model):
    """A change of a subscription, from a day of the account's time zone or, where its plan counts seconds, a moment."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = Field(None, description="`chg_…`; names it for ever.", examples=["chg_upgrade_4711"])
    kind: Literal["plan", "quantity", "pause", "resume", "renew", "cancel"]
    effective_on: Day | None = None
    effective_at: str | None = Field(None, description="RFC 3339, with its offset; in place of `effective_on`.")
    plan_version: str | None = Field(None, description="For the kind `plan`.")
    quantities: dict[str, Amount] | None = Field(None, description="By component, as they then are.")
    added: dict[str, Amount] | None = Field(
        None, description="By component, added to what there is; may be below zero."
    )
    credit: Literal["unused", "whole", "none"] = Field(
        "unused",
        description="What it gives back of a period paid ahead. `none`: the change waits for the next period.",
    )
    reset_cycle: bool = Field(False, description="Cycles count from that day on.")
