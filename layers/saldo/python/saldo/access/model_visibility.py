"""What of an account its people see, and what they may do themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Document(StrEnum):
    """What can be taken away. LISTS: exports of what a list shows."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    STATEMENT = "statement"
    LISTS = "lists"


class SelfService(StrEnum):
    """What people do themselves; what is not named is done by the seller's staff for them.

    PAY: one-time payments. PAY_LINKS: mails carry a link that pays one invoice without signing in. SUBSCRIPTIONS: other
    quantities, another plan, an end.
    """

    PAY = "pay"
    METHODS = "methods"
    AUTOPAY = "autopay"
    DISPUTES = "disputes"
    PAY_LINKS = "pay_links"
    SUBSCRIPTIONS = "subscriptions"


USUAL_ACTIONS = frozenset(SelfService) - {SelfService.PAY_LINKS, SelfService.SUBSCRIPTIONS}


@dataclass(frozen=True, slots=True)
class Visibility:
    """`open_only`: nothing that is settled. `months`: settled things of so many months back; 0: all there are.

    What is owed is always seen.
    """

    open_only: bool = False
    months: int = 0
    documents: frozenset[Document] = frozenset(Document)
    actions: frozenset[SelfService] = USUAL_ACTIONS

    def allows(self, what: Document | SelfService) -> bool:
        """A statement is history, so there is none where only open items are seen."""
        if what is Document.STATEMENT and self.open_only:
            return False
        return what in (self.documents if isinstance(what, Document) else self.actions)


USUAL = Visibility()
