"""The table as tests and the deployment create it: keys, the agenda index, and what that index carries."""

from __future__ import annotations

from typing import Any

# Small attributes that lists read from the agenda index without touching the record itself.
AGENDA_FIELDS = (
    "kind",
    "account_id",
    "subscription_id",
    "invoice_id",
    "payment_id",
    "number",
    "status",
    "currency",
    "total_minor",
    "open_minor",
    "issued_on",
    "due_on",
    "disputed_minor",
    "promise_id",
    "reason",
    "shown",  # what the list of one kind shows besides, in a map
)


def records_table(name: str) -> dict[str, Any]:
    """Arguments of CreateTable for the records table (encryption, streams and backups are the deployment's)."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "agenda_pk", "agenda_on")
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "agenda",
                "KeySchema": [
                    {"AttributeName": "agenda_pk", "KeyType": "HASH"},
                    {"AttributeName": "agenda_on", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(AGENDA_FIELDS)},
            }
        ],
    }


def keys_table(name: str) -> dict[str, Any]:
    """Arguments of CreateTable for the table of wrapped data keys."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }
