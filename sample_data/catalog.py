"""Changes of the sample marketplace's application database, day by day: sign-ups, licenses, transfers, payouts.

The catalog is advanced one day at a time. It depends on the seed and the day alone and never on the traffic, whose
events follow from it.
"""

from collections import defaultdict
from datetime import timedelta
from random import Random
from typing import Final

from sample_data.application_rows import DAY_MS, ApplicationRows, Row

# The owners' share of a fee.
_ROYALTY_BPS: Final = 8_000


# The facts of one day: (milliseconds, row) pairs, by kind of event.
DayFacts = dict[str, list[tuple[int, Row]]]


class Catalog(ApplicationRows):
    """The application's tables at the end of the latest day."""

    def advance(self) -> DayFacts:
        """Generate the changes of the next day. Returns its facts."""
        self._day += 1
        rng = Random(f"{self._seed}/catalog/{self._day}")  # noqa: S311
        facts: DayFacts = defaultdict(list)
        for _ in range(rng.randint(14, 26)):
            self._add_created(facts, "user_signed_up", self._user(rng, self._moment(rng), "user"))
        if rng.random() < 0.35:
            self._add_created(facts, "creator_profile_created", self._creator(rng, self._moment(rng)))
        if rng.random() < 0.25:
            self._add_created(facts, "brand_profile_created", self._brand(rng, self._moment(rng)))
        for _ in range(rng.randint(4, 11)):
            self._add_created(facts, "asset_uploaded", self._asset(rng, self._moment(rng)))
        for _ in range(rng.randint(0, 3)):
            self._add_created(facts, "project_created", self._project(rng, self._moment(rng)))
        self._age_licenses(rng, facts)
        # A Saturday has half the sales of a Wednesday.
        busy = (1.0, 1.15, 1.2, 1.1, 0.95, 0.6, 0.65)[self._today.weekday()]
        for _ in range(round(rng.randint(12, 20) * busy)):
            self._add_created(facts, "license_created", self._license(rng, self._moment(rng)))
        self._adjust(rng)
        self._transfer(rng, facts)
        self._pay(rng, facts)
        self._delete(rng, facts)
        return facts

    def _add_created(self, facts: DayFacts, kind: str, row: Row) -> None:
        facts[kind].append((self.milliseconds(row["created_at"]), row))

    def _age_licenses(self, rng: Random, facts: DayFacts) -> None:
        """Sign yesterday's licenses, expire those that end today, and renew some of those that end soon."""
        for row in self._unsigned:
            row["status"] = "active"
            facts["license_signed"].append((self._moment(rng), row))
        self._unsigned = []
        for row in self._expiring.pop(self._today, []):
            if row["status"] != "terminated":
                row["status"] = "expired"
                facts["license_expired"].append((self._day * DAY_MS + 60_000, row))
        for row in self._expiring.get(self._today + timedelta(days=5), []):
            if row["status"] == "active" and rng.random() < 0.45:
                renewal = self._license(rng, self._moment(rng), parent=row)
                self._add_created(facts, "license_created", renewal)
                self._add_created(facts, "license_renewed", renewal)
        if rng.random() < 0.12:
            row = rng.choice(self.tables["licenses"])
            if row["status"] == "active":
                row["status"] = "terminated"
                facts["license_terminated"].append((self._moment(rng), row))

    def _adjust(self, rng: Random) -> None:
        if rng.random() > 0.4:
            return
        row = rng.choice(self.tables["licenses"][-150:])
        is_refund = rng.random() < 0.7
        amount = -row["fee_cents"] * rng.choice((10, 25, 50, 100)) // 100 if is_refund else rng.randint(5, 60) * 100
        self._add(
            "license_adjustments",
            "adj",
            license_id=row["id"],
            amount_cents=amount,
            reason="refund" if is_refund else "fee_change",
            effective_date=self._today,
            created_at=self.timestamp(self._moment(rng)),
        )

    def _transfer(self, rng: Random, facts: DayFacts) -> None:
        """Transfer a share of an asset to another creator: the old share ends on the day the new one starts."""
        if rng.random() > 0.5:
            return
        asset = rng.choice(self.assets)
        shares = self._open_shares[asset["id"]]
        old = rng.choice(shares)
        others = [row for row in self.tables["creators"] if row["id"] not in {share["creator_id"] for share in shares}]
        # A share that began today would have an empty term.
        if old["start_date"] >= self._today or not others:
            return
        old["end_date"] = self._today
        new = self._share(asset, rng.choice(others)["id"], old["share_bps"], self._today)
        shares[shares.index(old)] = new
        facts["ownership_transferred"].append((self._moment(rng), new))

    def _pay(self, rng: Random, facts: DayFacts) -> None:
        """Calculate royalties of last week's licenses on Mondays, and pay most of them on the next day."""
        if self._today.weekday() == 1:
            for row in self.tables["payouts"]:
                if row["status"] == "pending":
                    row["status"] = "failed" if rng.random() < 0.04 else "completed"
                    facts[f"payout_{row['status']}"].append((self._day * DAY_MS + rng.randint(1, 20_000_000), row))
        if self._today.weekday() != 0:
            return
        owed: dict[str, int] = defaultdict(int)
        until = self.timestamp(self._day * DAY_MS)
        for row in self.tables["licenses"]:
            if until - timedelta(days=7) <= row["created_at"] < until:
                for share in self._open_shares[row["ip_asset_id"]]:
                    owed[share["creator_id"]] += row["fee_cents"] * share["share_bps"] * _ROYALTY_BPS // 100_000_000
        for creator_id in sorted(creator_id for creator_id, amount in owed.items() if amount):
            at = self._day * DAY_MS + rng.randint(1, 10_000_000)
            row = self._add(
                "payouts",
                "pay",
                creator_id=creator_id,
                amount_cents=owed[creator_id],
                status="pending",
                created_at=self.timestamp(at),
            )
            facts["royalty_calculated"].append((at, row))

    def _delete(self, rng: Random, facts: DayFacts) -> None:
        if rng.random() < 0.15:
            asset = self.assets.pop(rng.randrange(len(self.assets)))
            at = self._moment(rng)
            asset["deleted_at"] = max(self.timestamp(at), asset["created_at"])
            facts["asset_deleted"].append((at, asset))
        if rng.random() < 0.3:
            user = rng.choice(self.tables["users"])
            if user["role"] == "user" and user["deleted_at"] is None:
                user["deleted_at"] = max(self.timestamp(self._moment(rng)), user["created_at"])
