"""Encryption of the props that WAREHOUSE_ENCRYPTED_PROPS names.

tokens.py encrypts and decrypts single values, props.py selects the values of an event, rotation.py replaces the key of
stored values. Command line: `warehouse encryption`.

An encrypted value is a text, `encrypted:1:<key id>:<base64url>`. It is AES-SIV (RFC 5297) of the value's JSON. The
name of the prop, the event day and the key of the event are associated data. The encryption is authenticated and
deterministic. A random nonce would give each load of a file other bytes, which cannot be compared with a rebuild. The
price: a reader of the table sees that two copies of one event hold equal values, and about how long a value is. Equal
values of different events have different texts.
"""
