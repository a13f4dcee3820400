"""EventBridge Scheduler with time zones and the scheduled time, also for starts missed while the machine slept.

The emulator reads every cron expression as UTC, leaves `<aws.scheduler.scheduled-time>` as text and forgets what it
has fired. AWS retries a missed start for hours; here the last start missed within a day is made up for.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

EVERY_S = 5
MADE_UP_FOR = timedelta(days=1)
log = logging.getLogger("saldo.emulator")
Schedule = Mapping[str, Any]  # the emulator's own record


def install() -> None:
    from ministack.services import scheduler

    from local.emulator.replace import around

    ticker = Ticker(Path(os.environ["STATE_DIR"]) / "schedules-fired.json")
    around(scheduler, "start_scheduler", lambda _old: ticker.start)


def last_due(expression: str, zone: str, after: datetime, until: datetime) -> datetime | None:
    """The latest moment in (after, until] at which a cron or rate expression is due; None when there is none.

    cron() is read on the zone's own clock, so that 4 o'clock stays 4 o'clock when the clocks change.
    """
    from ministack.services import eventbridge

    rate = eventbridge._parse_rate_seconds(expression)
    if rate is not None:
        return until if (until - after).total_seconds() >= rate else None
    fields = eventbridge._parse_cron_fields(expression)
    if fields is None:
        return None
    due, local = None, after.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    while True:
        local = eventbridge._cron_next_fire(fields, local)
        if local is None:
            return due
        moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if moment > until:
            return due
        due = moment


class Ticker:
    """Remembers on disk when each schedule fired last; a schedule never seen before starts counting now."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._fired: dict[str, str] = json.loads(memory.read_text()) if memory.exists() else {}

    def start(self) -> None:
        threading.Thread(target=self._keep_ticking, name="saldo-schedules", daemon=True).start()

    def _keep_ticking(self) -> None:
        while True:
            time.sleep(EVERY_S)
            try:
                self.tick(datetime.now(UTC))
            except Exception:
                log.exception("a schedule could not be fired")

    def tick(self, now: datetime) -> None:
        from ministack.services import scheduler

        before = dict(self._fired)
        for key, schedule in list(scheduler._schedules._data.items()):
            if schedule.get("State") == "ENABLED":
                self._consider("|".join(key), key[0], key[1], schedule, now)
        if self._fired != before:
            partial = self._memory.with_suffix(".part")
            partial.write_text(json.dumps(self._fired))
            partial.replace(self._memory)

    def _consider(self, name: str, account: str, region: str, schedule: Schedule, now: datetime) -> None:
        seen = datetime.fromisoformat(self._fired.setdefault(name, now.isoformat()))
        after = max(seen, now - MADE_UP_FOR)
        zone = schedule.get("ScheduleExpressionTimezone") or "UTC"
        due = last_due(str(schedule.get("ScheduleExpression", "")), zone, after, now)
        if due is not None:
            self._fired[name] = due.isoformat()
            _fire(account, region, schedule, due)


def _fire(account: str, region: str, schedule: Schedule, due: datetime) -> None:
    from ministack.core.responses import new_uuid
    from ministack.services import eventbridge

    from local.emulator.metrics import scope

    target = dict(schedule.get("Target") or {})
    told = {
        "<aws.scheduler.scheduled-time>": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "<aws.scheduler.schedule-arn>": str(schedule.get("Arn", "")),
        "<aws.scheduler.execution-id>": new_uuid(),
        "<aws.scheduler.attempt-number>": "1",
    }
    for word, value in told.items():
        target["Input"] = str(target.get("Input") or "{}").replace(word, value)
    event = {
        "EventId": new_uuid(),
        "Source": "aws.scheduler",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": due.timestamp(),
        "Resources": [schedule.get("Arn", "")],
        "Account": account,
        "Region": region,
    }
    with scope(account, region):
        eventbridge._invoke_target(target, event, schedule)
    log.warning("schedule %s fired for %s", schedule.get("Name"), due.isoformat())
