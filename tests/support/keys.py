"""Keys of hashes in tests."""

from typing import Any, Final

HASH_KEY: Final = "key-of-the-tests-only"
ERASURE_KEY: Final = "erasure-key-of-the-tests"
ERASURE: Final[Any] = {"erasure_key": ERASURE_KEY}
KEYS: Final = {"hash_key": HASH_KEY, **ERASURE}
