"""Raw events as files, for people: chosen by period, entity and type, without personal data."""
