"""`python -m local.provider --port 8095 --client-id saldo --client-secret S --person rieke@kontor.example=Rieke`"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from threading import Event

from local.provider.model import FAULTS, HEAD_FAULTS, Person, Provider
from local.provider.server import ProviderProcess


def _person(text: str) -> Person:
    email, _, name = text.partition("=")
    if email.count("@") != 1:
        raise argparse.ArgumentTypeError("must be ADDRESS=NAME, for example rieke@kontor.example=Rieke")
    return Person(f"subject-{email}", email, name or email)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.provider", description="An identity provider, here.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret", required=True)
    parser.add_argument("--person", type=_person, action="append", default=[], metavar="ADDRESS=NAME")
    parser.add_argument(
        "--fault", choices=sorted([*FAULTS, *HEAD_FAULTS]), default="", help="what is wrong with its tokens"
    )
    return parser.parse_args()


def main() -> int:
    args, over = _arguments(), Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    people = {person.email: person for person in args.person}
    clients = {args.client_id: args.client_secret}
    with ProviderProcess(Provider("", time.time, clients, people, fault=args.fault), args.port) as process:
        print(f"provider: ready at {process.url}", flush=True)
        over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
