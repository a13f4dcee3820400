"""Every workflow × every call it makes × every kind of fault: repeated, it ends as if nothing had happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from saldo.insight.invariants import check_all
from saldo.storage.items import Item
from saldo.storage.jws import parts
from saldo.usage.records import events_of_chunk
from tests.crashes import Injector, Kind
from tests.simulation.prepared import Prepared, prepared
from tests.simulation.region import Region, Seen
from tests.simulation.workflows import FAILURES, LATER, Workflow

# After a failure the work is asked for again; so often at most.
MOST_REPEATS = 6

Essence = dict[str, Any]

# What differs between two undisturbed runs, too: chance and the time of day.
_BY_CHANCE = {
    *("plan_id", "list_id", "sealed", "wrapped", "version", "history", "attempts", "expires_at_s", "began_at_s"),
    *("written", "folded"),
    *("message_id", "lost_answers"),
    "tax_id_check",  # names the day of asking; what came of it is in has_tax_id and in what waits
}
# Records that name an attempt to do something rather than what came of it.
_OF_THE_WAY = {"plan", "ranks", "audit", "guard"}


@dataclass(frozen=True, slots=True)
class Point:
    """One fault: at which call of the work, and what."""

    number: int
    kind: Kind


@dataclass(slots=True)
class Result:
    """What became of one workflow under fire. `diverged`: the points after which something else was there, and what."""

    name: str
    calls: int
    points: int = 0
    converged: int = 0
    diverged: list[tuple[tuple[Point, ...], str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a workflow does when nothing goes wrong: its calls, what it leaves, and records of which kind it put on
    which list of the agenda. kinds: of which there are any. writers: the functions that wrote; direct: that did so
    themselves; asked: that called at all."""

    calls: tuple[str, ...]
    essence: Essence
    writers: frozenset[str]
    direct: frozenset[str]
    asked: frozenset[str]
    listed: frozenset[tuple[str, str]]
    kinds: frozenset[str]

    def points(self) -> list[Point]:
        """Every fault that can happen to one of its calls."""
        numbered = enumerate(self.calls, start=1)
        return [Point(n, kind) for n, operation in numbered for kind in Kind if kind.happens_to(operation)]


def undisturbed(flow: Workflow) -> Undisturbed:
    """Run it once, then once more: being repeated, it must change nothing."""
    injector, seen = Injector(), Seen()
    with prepared(flow) as scene:
        region = scene.again()
        injector.attach([region.wire])
        injector.disarm()
        region.wire.watch = seen
        flow.work(region)
        region.wire.watch = None
        calls = tuple(injector.calls)
        first = essence(region, flow)
        assert not first["violations"], f"{flow.name}: {first['violations']}"
        _again(region, flow)
        second = essence(region, flow)
        with region.undisturbed():
            there = list(region.store.scan())
    listed = frozenset((item["agenda_pk"].partition("#")[0], item["kind"]) for item in there if "agenda_pk" in item)
    kinds = frozenset(item["kind"] for item in there)
    assert calls, f"{flow.name} makes no outside calls"
    assert first == second, f"{flow.name} changes something when it is repeated: {difference(first, second)}"
    return Undisturbed(calls, first, *map(frozenset, (seen.functions, seen.direct, seen.asked)), listed, kinds)


def under_fire(scene: Prepared, expected: Undisturbed, points: Sequence[Point]) -> str:
    """Run it with these faults, one after the other, until it gets through; "" when it ends as expected."""
    region, flow, injector = scene.again(), scene.flow, Injector()
    waiting = list(points)
    injector.attach([region.wire])
    for _ in range(MOST_REPEATS + len(points)):
        point = waiting.pop(0) if waiting else Point(0, Kind.CRASH_BEFORE)
        injector.arm(point.number, point.kind)
        failed = _tried(region, flow)
        if not failed and not injector.struck:
            break
    else:
        return "it never gets through"
    wanted, found = expected.essence, essence(region, flow)
    return difference(*(_apart_from_what_was_left_to_people(wanted, found) if len(points) > 1 else (wanted, found)))


def _tried(region: Region, flow: Workflow) -> bool:
    """Whether the work failed; time passes, and the next one is done by a new process."""
    try:
        flow.work(region)
    except FAILURES:
        region.now += LATER
        region.restart()
        return True
    region.now += LATER
    region.restart()
    return False


def _again(region: Region, flow: Workflow) -> None:
    region.now += LATER
    region.restart()
    flow.work(region)


def fire(
    flow: Workflow,
    chosen: Callable[[list[Point]], Sequence[Point]] | None = None,
    expected: Undisturbed | None = None,
) -> Result:
    """Each point of a workflow, or those that are chosen. expected: what it does undisturbed, where that is known."""
    expected = expected or undisturbed(flow)
    result = Result(flow.name, len(expected.calls))
    with prepared(flow) as scene:
        for point in chosen(expected.points()) if chosen else expected.points():
            _note(result, (point,), under_fire(scene, expected, [point]))
    return result


def fire_pairs(flow: Workflow, most: int | None, seed: int = 0, expected: Undisturbed | None = None) -> Result:
    """Pairs of faults, the second striking the repetition; all of them, or so many by chance."""
    expected = expected or undisturbed(flow)
    result = Result(flow.name, len(expected.calls))
    with prepared(flow) as scene:
        for pair in _pairs(expected.points(), most, seed):
            _note(result, pair, under_fire(scene, expected, pair))
    return result


def _pairs(points: list[Point], most: int | None, seed: int) -> Iterator[tuple[Point, Point]]:
    if most is None or most >= len(points) ** 2:
        yield from ((one, other) for one in points for other in points)
        return
    chance = Random(seed)
    yield from ((chance.choice(points), chance.choice(points)) for _ in range(most))


def _note(result: Result, points: tuple[Point, ...], wrong: str) -> None:
    result.points += 1
    if wrong:
        result.diverged.append((points, wrong))
    else:
        result.converged += 1


# -- what counts ---------------------------------------------------------------------------------------------------


def essence(region: Region, flow: Workflow) -> Essence:
    """What must come out the same however often the work was interrupted, and the invariants that are broken.

    Left out: chance (ids of lists), instants, and how often something was tried.
    """
    with region.undisturbed():
        store = region.store
        items = list(store.scan())
        violations = [f"{v.invariant} {v.owner_id}: {v.message}" for v in check_all(store).violations]
    kept = [
        (item["pk"], item["sk"], _kept(item))
        for item in items
        if item["kind"] not in _OF_THE_WAY and item["kind"] not in flow.apart
    ]
    apart = {name for i in items if i["kind"] in flow.apart for name in (i["pk"], i["sk"].rpartition("#")[2])}
    audited = {(i["pk"], i["action"], i["subject_id"]) for i in items if i["kind"] == "audit"}
    audited = {(pk, action, "" if subject in apart else subject) for pk, action, subject in audited}
    guards = sorted((i["pk"], i["sk"]) for i in items if i["kind"] == "guard")
    lost = [i for i in items if i["kind"] == "delivery" and i.get("failure_code") == "answer_lost"]
    return {
        "violations": violations,
        "records": sorted(kept),
        "guards": guards,
        "audited": sorted(a for a in audited if "attempt" not in flow.apart or "run" not in a[1]),
        "files": sorted((bucket, key) for bucket, key in region.buckets.files if not _of_a_look(bucket, key)),
        "mail": sorted({to for to, _ in region.mail.taken}),
        "messages": sorted({_message(body) for queue, body in region.queues.waiting if queue == "usage"}),
        "events": sorted({entry["DetailType"] + str(_detail(entry)) for entry in region.bus.taken}),
        "executions": sorted({str(sorted(e.items())) for e in region.machines.started}),
        "left to people": sorted((i["pk"], i["sk"], i["document_id"]) for i in lost),
    }


def _apart_from_what_was_left_to_people(wanted: Essence, found: Essence) -> tuple[Essence, Essence]:
    """Without documents of which it was twice not heard whether they were mailed: a third time might be one too many,
    so people decide (saldo/delivery). It takes two faults."""
    left = found["left to people"]

    documents, records = {(pk, document) for pk, _, document in left}, {(pk, sk) for pk, sk, _ in left}

    def rest(of: Essence) -> Essence:
        kept = [(pk, sk, said) for pk, sk, said in of["records"] if (pk, sk) not in records]
        audited = [(pk, action, subject) for pk, action, subject in of["audited"] if (pk, subject) not in documents]
        return {**of, "records": kept, "audited": audited, "mail": [] if left else of["mail"], "left to people": []}

    return rest(wanted), rest(found)


def _of_a_look(bucket: str, key: str) -> bool:
    """What its parts lay down for each other, under the look's own name; what counts is what it comes to."""
    return bucket == "work" or key.startswith("heads/")


def _kept(item: Item) -> str:
    fields = {
        name: _without_instants(value)
        for name, value in sorted(item.items())
        if name not in _BY_CHANCE and not name.endswith("_at") and not _is_instant(value)
    }
    if item["kind"] == "balance":  # which unit moved it last, where several may come first
        del fields["days"]
    if item["kind"] == "usage":  # packed with the instants of their arrival
        fields["events"] = sorted(events_of_chunk(item), key=lambda e: (e.source, e.id, e.at))
    if "bank_statement" in item:  # signed, with the instant
        told = json.loads(item["bank_statement"])
        claims = parts(told.pop("signed"))[1]
        fields["bank_statement"] = [told | {"at": ""}, claims | {"iat": 0}]
    return repr(fields)


def _without_instants(value: Any) -> Any:
    if isinstance(value, dict):
        kept = ((k, v) for k, v in sorted(value.items()) if k not in _BY_CHANCE and not str(k).endswith("_at"))
        return {k: _without_instants(v) for k, v in kept if not _is_instant(v)}
    if isinstance(value, list):
        return [_without_instants(v) for v in value if not _is_instant(v)]
    return value


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 24 and value[10] == "T" and value.endswith("Z")


def _message(body: str) -> str:
    said = json.loads(body)
    said.pop("accepted_at", None)
    return json.dumps(said, sort_keys=True)


def _detail(entry: dict[str, Any]) -> Any:
    return json.loads(entry["Detail"]).get("event_id", entry["Detail"])


def difference(expected: Essence, found: Essence) -> str:
    """The first things that differ, "" when nothing does. A failure may have its own audit record besides."""
    lines = []
    for name in expected:
        if expected[name] != found[name]:
            wanted, there = Counter(map(str, expected[name])), Counter(map(str, found[name]))
            lines += [f"{name} lacks {one[:400]}" for one in list(wanted - there)[:2]]
            if name != "audited":
                lines += [f"{name} has {one[:400]}" for one in list(there - wanted)[:2]]
    return "\n".join(lines)
