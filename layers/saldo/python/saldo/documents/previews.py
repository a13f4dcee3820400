"""Use case of looking at a published template: a PDF of made-up charges, made anew each time it is asked for."""

from __future__ import annotations

from saldo.documents.looks import Looks
from saldo.documents.records import look_from, look_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.storage.files import Files
from saldo.storage.store import Store


class TemplatePreviews:
    """Previews of one region's sellers. `previews/<entity>/<template>.<language>.pdf`, written over by the next."""

    def __init__(self, store: Store, files: Files, clock: Clock) -> None:
        self._store, self._files, self._clock = store, files, clock

    def of(self, entity_id: str, template: str, language: str) -> str:
        """The key of the PDF. `template`: `<name>@<version>`; NotFound for one that was not published."""
        item = self._store.get(*look_key(entity_id, template))
        if item is None:
            raise NotFound("no such template")
        pdf = Looks(self._store, self._clock).preview(entity_id, look_from(item), language)
        key = f"previews/{entity_id}/{template}.{language}.pdf"
        self._files.put(key, pdf, "application/pdf")
        return key
