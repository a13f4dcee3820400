"""Findings that stand, each with its reason. Nothing is excused elsewhere, and an excuse nobody needs is an error."""

from __future__ import annotations

from local.scanning.model import Acknowledged

_ASSERT = "asserts say what the types cannot; refusals and guards never rest on one, and no function runs with -O"
_QUERY = "made of our own words, and of names quoted by `rules_partitions.text`; values go as parameters"
_OWN_PORTS = "the address is the deployment's own setting or this machine's own port, never a caller's"
_WORDS = "the name of a field, a metric or a setting, no value"
_MADE_UP = "made up for tests, worth nothing anywhere"

ACKNOWLEDGED = (
    Acknowledged("bandit", "B101", r"(functions|layers|local|infra)/.*", _ASSERT),
    Acknowledged("bandit", "B103", r"local/bootstrap\.py", "makes a launcher of the virtual environment executable"),
    Acknowledged("bandit", "B105", r"(functions|layers|local)/.*", _WORDS),
    Acknowledged("bandit", "B106", r"layers/saldo/python/saldo/payments/methods\.py", "an empty token is none"),
    Acknowledged("bandit", "B107", r"layers/saldo/python/saldo/access/.*", "without a token there is an empty one"),
    Acknowledged("bandit", "B303", r"local/cli/staff\.py", "RFC 6238 makes codes by the clock with SHA-1"),
    Acknowledged("bandit", "B310", r"layers/saldo/python/saldo/access/cognito.*\.py", "the user pool's own domain"),
    Acknowledged("bandit", "B310", r"local/.*", _OWN_PORTS),
    Acknowledged("bandit", "B311", r"layers/saldo/.*", "jitter of retries: who guesses it gains nothing"),
    Acknowledged("bandit", "B311", r"local/(demo|gateway)/.*", "a demo and a simulator must replay from a seed"),
    Acknowledged("bandit", "B404", r"(infra|local)/.*", "tools of developers; nothing hosted starts processes"),
    Acknowledged("bandit", "B603", r"(infra|local)/.*", "fixed commands without a shell, arguments our own"),
    Acknowledged("bandit", "B607", r"local/.*", "git as the developer's machine has it"),
    Acknowledged("bandit", "B608", r"layers/saldo/python/saldo/usage/partitions.*", _QUERY),
    Acknowledged("bandit", "B608", r"local/gateway/book\.py", "names of our own columns; values go as parameters"),
    Acknowledged("detect-secrets", "Secret Keyword", r"functions/portal/locales/.*", "labels of password fields"),
    Acknowledged("detect-secrets", "Secret Keyword", r"(infra/cdk/alarms|layers/saldo/.*)\.py", _WORDS),
    Acknowledged(
        "detect-secrets",
        "Base64 High Entropy String",
        r"layers/saldo/python/saldo/kernel/ids\.py",
        "the alphabet of ids",
    ),
    Acknowledged("detect-secrets", "Hex High Entropy String", r"(local/demo|tests)/.*", "bank accounts of a demo"),
    Acknowledged(
        "detect-secrets", "Secret Keyword", r"local/demo/seeding\.py", "the demo's password, told at its start"
    ),
    Acknowledged("detect-secrets", "Secret Keyword", r"tests/.*", _MADE_UP),
    Acknowledged(
        "detect-secrets", "Secret Keyword", r"(functions/portal/presenters/activity|local/cli/access)\.py", _WORDS
    ),
    Acknowledged("detect-secrets", "Hex High Entropy String", r"docs/catalog\.md", "a tax id and a bank of an example"),
)
