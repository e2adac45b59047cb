"""Redaction: personal data that is dropped or replaced before anything is written, by one set of rules everywhere.

Dropped: IP addresses and user agents under their keys. Replaced by `[redacted]`: values under personal keys, such as
email or token, and e-mail addresses, phone numbers, payment card numbers, IBANs, IP addresses, user agents and access
tokens inside texts, at every depth of encoding. `redactor.py` puts the parts together; docs/privacy.md tells users.
"""

from ingestion.redaction.marker import REDACTED
from ingestion.redaction.redactor import Redactor, default_redactor, redact_text, redactor_for

__all__ = ["REDACTED", "Redactor", "default_redactor", "redact_text", "redactor_for"]
