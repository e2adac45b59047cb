"""Encryption of the props that WAREHOUSE_ENCRYPTED_PROPS names: tokens.py makes and opens encrypted values, props.py
decides which values of an event become one, rotation.py renews what is stored. By hand: python -m ingestion.encryption.

An encrypted value is a text, `encrypted:1:<key id>:<base64url>`. It is AES-SIV (RFC 5297) of the value's JSON with the
prop's name, the event day and the event's key as associated data: authenticated, and the same every time. A random
nonce would make each load of a file write other bytes, and tables that cannot be compared with a rebuild. The price:
whoever reads the table sees that two copies of one event hold the same value, and about how long a value is. Equal
values of different events look different.
"""
