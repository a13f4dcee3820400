"""`python -m local.gateway --port 8090 --secret-file F --state DIR --webhook eu=http://localhost:8080/webhooks/gateway`"""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event

from local.gateway.book import Pace
from local.gateway.moods import Mood
from local.gateway.server import GatewayProcess
from saldo.kernel.regions import AWS_REGIONS


def _webhook(text: str) -> tuple[str, str]:
    region, _, url = text.partition("=")
    if region not in AWS_REGIONS or not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must be REGION=URL, for example eu=http://localhost:8080/webhooks/gateway")
    return region, url


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must lie between 0 and 1")
    return share


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.gateway", description="A payment gateway on one machine.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--public-url", default="", help="where payers reach it (default http://localhost:PORT)")
    parser.add_argument("--secret-file", type=Path, required=True, help="signing secrets, one a line, the newest first")
    parser.add_argument("--state", type=Path, required=True, help="folder for what must survive a restart")
    parser.add_argument("--webhook", type=_webhook, action="append", default=[], metavar="REGION=URL")
    parser.add_argument("--debit-s", type=float, default=20, help="seconds until a SEPA debit settles")
    parser.add_argument("--payout-s", type=float, default=60, help="seconds until settled money reaches the bank")
    parser.add_argument("--seed", type=int, default=0, help="which bad day it is, when any of the next is above 0")
    for name, what in (("late", "events that come late"), ("twice", "events that come twice")):
        parser.add_argument(f"--{name}", type=_share, default=0, help=f"share of {what}")
    parser.add_argument("--fail", type=_share, default=0, help="share of events whose first deliveries get lost")
    parser.add_argument("--lose", type=_share, default=0, help="share of answers that get lost after the work is done")
    return parser.parse_args()


def main() -> int:
    args = _arguments()
    secrets = [line.strip() for line in args.secret_file.read_bytes().splitlines() if line.strip()]
    if not secrets:
        print(f"gateway: {args.secret_file} holds no secret", file=sys.stderr)
        return 2
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    gateway = GatewayProcess(
        args.state,
        secrets,
        dict(args.webhook),
        port=args.port,
        host=args.host,
        public_url=args.public_url,
        pace=Pace(debit=timedelta(seconds=args.debit_s), payout=timedelta(seconds=args.payout_s)),
        mood=Mood(args.seed, args.late, args.twice, args.fail, args.lose),
    )
    with gateway.start():
        print(f"gateway: ready at {gateway.url}", flush=True)
        over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
