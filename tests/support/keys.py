"""Keys of hashes in tests."""

from typing import Final

HASH_KEY: Final = "key-of-the-tests-only"
ERASURE_KEY: Final = "erasure-key-of-the-tests"
KEYS: Final = {"hash_key": HASH_KEY, "erasure_key": ERASURE_KEY}
