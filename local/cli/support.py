"""`saldo support`: when the desk works, and who waits."""

from __future__ import annotations

import click

from local.cli.orders import by, clerk
from local.cli.site import Site, Sites, sealer_of, store_of
from local.cli.voice import Voice, speaks_json, table
from saldo.kernel.clock import instant_text, system_clock
from saldo.support.model import Priority, SupportHours
from saldo.support.records import hours_fields
from saldo.support.service import Support


@click.group(name="support")
def support_group() -> None:
    """The support desk: its hours, and what waits."""


@support_group.command(name="hours")
@click.argument("entity_id", metavar="ENTITY")
@click.option("--opens", type=int, help="Hour of the day, in the seller's time zone.")
@click.option("--closes", type=int, help="Hour of the day.")
@click.option("--low", type=int, help="Hours of support within which a message is answered.")
@click.option("--normal", type=int, help="The same for normal ones.")
@click.option("--urgent", type=int, help="The same for urgent ones.")
@by
@click.pass_obj
@speaks_json
def hours(sites: Sites, voice: Voice, entity_id: str, person: str, **asked: int | None) -> None:
    """When support works, Monday to Friday, and how fast it answers. What is named is changed."""
    desk = _desk(sites.of(entity_id))
    now = desk.hours(entity_id)
    given = {name: value for name, value in asked.items() if value is not None}
    answers = {p: given.get(p.value, now.answer_hours[p]) for p in Priority}
    wanted = SupportHours(given.get("opens", now.opens), given.get("closes", now.closes), answers)
    if wanted != now:
        desk.set_hours(entity_id, wanted, clerk(person))
    told = hours_fields(wanted)
    rows = [(name, str(value)) for name, value in told.items()]
    voice.answer(told, lambda console: console.print(table("what", "is", rows=rows)))


@support_group.command(name="waiting")
@click.argument("entity_id", metavar="ENTITY")
@click.pass_obj
@speaks_json
def waiting(sites: Sites, voice: Voice, entity_id: str) -> None:
    """Tickets that are not closed, the most pressing first; none of their words."""
    found = _desk(sites.of(entity_id)).waiting(entity_id)
    told = [
        {
            "account_id": t.account_id,
            "ticket_id": t.id,
            "topic": t.topic.value,
            "priority": t.priority.value,
            "status": t.state.value,
            "answer_due_at": instant_text(t.answer_due_at) if t.answer_due_at else None,
            "assigned_to": t.assigned_to,
        }
        for t in found
    ]
    rows = [tuple(str(value or "") for value in one.values()) for one in told]
    heads = ("account", "ticket", "topic", "priority", "status", "answer by", "taken by")
    voice.answer(
        {"tickets": told}, lambda console: console.print(table(*heads, rows=rows) if rows else "Nobody waits.")
    )


def _desk(site: Site) -> Support:
    return Support(store_of(site), sealer_of(site), system_clock)
