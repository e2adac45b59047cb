"""Redaction of personal data before it is written, by one set of rules for every kind of input.

Dropped: IP addresses and user agents under their keys. Replaced by `[redacted]`: values under personal keys, such as
email or token. In texts, at every depth of encoding, e-mail addresses, phone numbers, payment card numbers, IBANs, IP
addresses, user agents and access tokens are replaced. `redactor.py` combines the rules;
docs/concepts/privacy.md lists them.
"""

from ingestion.redaction.marker import REDACTED
from ingestion.redaction.redactor import Redactor, default_redactor, redact_text, redactor_for

__all__ = ["REDACTED", "Redactor", "default_redactor", "redact_text", "redactor_for"]
