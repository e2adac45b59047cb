"""The registry of advisory locks: every number in one place, unique by construction.

Postgres identifies an advisory lock by its number and the database alone. Two modules with one number would wait for
each other.
"""

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Numbers of the warehouse's advisory locks, by their purpose.

    Locks named `*_DDL` last for one transaction that creates tables. They are needed because "if not exists" does not
    protect two sessions that create at the same moment from each other.
    """

    # Held for a whole run by Dagster, for a transaction by models that are built by hand.
    WRITER = 7_200
    RAW_DDL = 7_201
    APPLICATION_DDL = 7_202
    # One read of the application's tables at a time.
    APPLICATION_READ = 7_203
    AD_SPEND_DDL = 7_204
    ATTRIBUTION_DDL = 7_205
    SUBJECTS_DDL = 7_206
    FRESHNESS_DDL = 7_207
    ALERTS_DDL = 7_208
    PROVISIONING = 7_210
    # One process at a time finds faults and sends messages.
    ALERTS = 7_215
    # The first of two numbers; the second is a hash of the run's id.
    RUN = 7_220
