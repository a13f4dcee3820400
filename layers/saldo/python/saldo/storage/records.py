"""The base of master-data records: PynamoDB says which attributes a record has and of which type."""

from __future__ import annotations

from typing import Any, Self

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from saldo.storage.items import Item, from_attributes, to_attributes


class Record(Model):
    """One kind of record. The sort key begins with the record's kind.

    PynamoDB checks and converts attributes; reading and writing go through `Store`, so that every record, of master
    data or of money, is scoped and written in units the same way.
    """

    class Meta:
        table_name = "records"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()

    def __init__(self, hash_key: str | None = None, range_key: str | None = None, **attributes: Any) -> None:
        if range_key is not None:
            attributes.setdefault("kind", range_key.split("#", 1)[0])
        super().__init__(hash_key, range_key, **attributes)

    def as_item(self) -> Item:
        """The plain item; raises ValueError when a required attribute is missing or of another type."""
        return from_attributes(self.serialize())

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """The record of a plain item; attributes the record does not define are left alone."""
        record = cls()
        known = {name: item[name] for name in cls.get_attributes() if name in item}
        record.deserialize(to_attributes(known))
        return record
