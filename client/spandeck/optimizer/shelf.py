"""Entries in a `Store`: as JSON, under the exact key and under their content words."""

import json
from dataclasses import dataclass

from spandeck.attributes import logger
from spandeck.optimizer import keys
from spandeck.optimizer.entries import Entry
from spandeck.optimizer.meaning import Meaning, understand
from spandeck.optimizer.stores import Store


@dataclass(frozen=True, slots=True)
class Shelf:
    """The persistent side of a cache. A store that fails is a store without entries; values need to be JSON."""

    store: Store
    keep_stale_s: float

    def exact(self, key: str) -> Entry | None:
        """The entry under `key`, fresh or not."""
        return self._load(key)

    def same_words(self, scope: str, meaning: Meaning) -> Entry | None:
        """The entry of `scope` that was stored last for these content words; the rules are not asked here."""
        return self._load(_words_key(scope, meaning))

    def save(self, entry: Entry) -> None:
        """Store `entry`; a value that JSON cannot give back as it is stays in memory only."""
        fields = {
            "key": entry.key,
            "scope": entry.scope,
            "prompt": entry.prompt,
            "value": entry.value,
            "stored_at": entry.stored_at,
            "expires_at": entry.expires_at,
            "cost_usd": entry.cost_usd,
            "wordable": entry.meaning is not None,
        }
        try:
            content = json.dumps(fields, allow_nan=False)
            if json.loads(content)["value"] != entry.value:
                return
            lives_s = entry.expires_at - entry.stored_at + self.keep_stale_s
            self.store.set(entry.key, content, lives_s)
            if entry.meaning is not None:
                self.store.set(_words_key(entry.scope, entry.meaning), content, lives_s)
        except Exception:
            logger.debug("an answer was not persisted", exc_info=True)

    def remove(self, key: str, scope: str, meaning: Meaning | None) -> None:
        """Make the entry under `key` unfindable."""
        try:
            self.store.set(key, "", 0.0)
            if meaning is not None:
                self.store.set(_words_key(scope, meaning), "", 0.0)
        except Exception:
            logger.debug("a persisted answer was not removed", exc_info=True)

    def _load(self, key: str) -> Entry | None:
        try:
            content = self.store.get(key)
            return _entry(json.loads(content)) if content else None
        except Exception:
            logger.debug("a persisted answer could not be read", exc_info=True)
            return None


def _words_key(scope: str, meaning: Meaning) -> str:
    return "words-" + keys.digest([scope, meaning.bag])


def _entry(fields: dict[str, object]) -> Entry:
    """Raises `KeyError`, `TypeError` or `ValueError` where the row is of another shape."""
    cost_usd = fields["cost_usd"]
    prompt = str(fields["prompt"])
    return Entry(
        str(fields["key"]),
        str(fields["scope"]),
        prompt,
        fields["value"],
        float(str(fields["stored_at"])),
        float(str(fields["expires_at"])),
        float(str(cost_usd)) if cost_usd is not None else None,
        understand(prompt) if fields["wordable"] else None,
    )
