"""Generator of the rows of the sample marketplace's application database.

Times are milliseconds since the first midnight of the marketplace; times before its first day are negative.
"""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from ingestion.application.schema import TABLES

DAY_MS: Final = 86_400_000
# Parts of all e-mail addresses and passwords of the sample, by which tests find them where they must not be.
MAIL_DOMAIN: Final = "mail.example"
PASSWORD_MARK: Final = "hunter2-"  # noqa: S105 - planted to be looked for

TABLE_NAMES: Final = tuple(table.name for table in TABLES)

Row = dict[str, Any]


def _words(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_FIRST: Final = _words(
    "ana ben chloe dario elif femi grace hugo ines jonas kira liam mei noor omar pia quinn rosa sven tara"
)
_LAST: Final = _words(
    "almeida baker cho diaz eriksen fofana garcia haddad ito jansen khan lopez moreau novak okafor patel"
)
_ADJECTIVES: Final = _words(
    "amber bold calm distant electric faded golden hidden iron jade kinetic lunar midnight neon open"
)
_NOUNS: Final = _words(
    "anthem bloom canyon drift echo fable garden harbor island journey kite lantern meadow north orbit"
)
_TYPES: Final = ("image", "image", "audio", "video", "illustration", "font", "model_3d")
_COMPANIES: Final = ("Studio", "Foods", "Outdoor", "Labs", "Mobility", "Apparel", "Games", "Records")
_FEE_MEDIAN_CENTS: Final = 18_000
_FREE_SHARE: Final = 0.04


class ApplicationRows:
    """The application's tables with the rows from before the first day; `tables[name]` lists the rows of a table.

    Ids are numbered from `first_number` on, so that marketplaces with other first numbers fit into one warehouse.
    """

    def __init__(self, seed: int, start: date, first_number: int = 1) -> None:
        self._seed = seed
        self._start = start
        self._day = -1
        self._numbers: dict[str, int] = defaultdict(lambda: first_number - 1)
        self.tables: dict[str, list[Row]] = {name: [] for name in TABLE_NAMES}
        # For the traffic: licenses by asset, and existing assets, the most popular first.
        self.licenses_of: dict[str, list[Row]] = defaultdict(list)
        self.assets: list[Row] = []
        self._expiring: dict[date, list[Row]] = defaultdict(list)
        self._open_shares: dict[str, list[Row]] = {}
        self._unsigned: list[Row] = []
        self._populate(Random(f"{seed}/catalog"))  # noqa: S311 - a sample must be repeatable, not secret

    @property
    def _today(self) -> date:
        return self._start + timedelta(days=self._day)

    def timestamp(self, at: int) -> datetime:
        """Return the UTC time of a number of milliseconds since the first midnight."""
        return datetime.combine(self._start, time.min, UTC) + timedelta(milliseconds=at)

    def milliseconds(self, moment: datetime) -> int:
        """Return the milliseconds of a time, the inverse of `timestamp`."""
        return (moment - datetime.combine(self._start, time.min, UTC)) // timedelta(milliseconds=1)

    def _moment(self, rng: Random) -> int:
        """Return a random time of the day, mostly in waking hours, and long before midnight so that visits end."""
        return self._day * DAY_MS + int(rng.triangular(0.02, 0.96, 0.62) * DAY_MS)

    def _add(self, table: str, prefix: str, **values: Any) -> Row:
        self._numbers[prefix] += 1
        row: Row = {"id": f"{prefix}_{self._numbers[prefix]:06d}", **values}
        self.tables[table].append(row)
        return row

    def _populate(self, rng: Random) -> None:
        def before() -> int:
            return -int(rng.uniform(1, 300) * DAY_MS)

        for _ in range(40):
            self._creator(rng, before())
        for _ in range(25):
            self._brand(rng, before())
        for _ in range(500):
            self._user(rng, before(), "user")
        self._user(rng, -400 * DAY_MS, "admin")
        for _ in range(60):
            self._project(rng, before())
        for _ in range(320):
            self._asset(rng, before())
        for _ in range(160):
            self._license(rng, before(), is_signed=True)

    def _user(self, rng: Random, at: int, role: str) -> Row:
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        number = self._numbers["usr"] + 1
        return self._add(
            "users",
            "usr",
            email=f"{first}.{last}.{number}@{MAIL_DOMAIN}",
            role=role,
            full_name=f"{first.title()} {last.title()}",
            password_hash=f"{PASSWORD_MARK}{rng.getrandbits(64):016x}",
            created_at=self.timestamp(at),
            deleted_at=None,
        )

    def _creator(self, rng: Random, at: int) -> Row:
        user = self._user(rng, at, "creator")
        name = f"{user['full_name']} {rng.choice(_NOUNS).title()}"
        return self._add(
            "creators", "crt", user_id=user["id"], display_name=name, created_at=user["created_at"], deleted_at=None
        )

    def _brand(self, rng: Random, at: int) -> Row:
        user = self._user(rng, at, "brand")
        name = f"{rng.choice(_ADJECTIVES).title()} {rng.choice(_NOUNS).title()} {rng.choice(_COMPANIES)}"
        brand = self._add(
            "brands", "brd", user_id=user["id"], company_name=name, created_at=user["created_at"], deleted_at=None
        )
        # A new brand needs a project for its licenses.
        self._project(rng, at + 3_600_000, brand)
        return brand

    def _project(self, rng: Random, at: int, brand: Row | None = None) -> Row:
        owner = brand or rng.choice(self.tables["brands"])
        return self._add(
            "projects",
            "prj",
            brand_id=owner["id"],
            name=f"{rng.choice(_ADJECTIVES).title()} {rng.choice(('launch', 'campaign', 'relaunch', 'season'))}",
            budget_cents=rng.randint(5, 400) * 100_000,
            created_at=max(self.timestamp(at), owner["created_at"]),
        )

    def _asset(self, rng: Random, at: int) -> Row:
        creators = [creator for creator in self.tables["creators"] if creator["deleted_at"] is None]
        owners = rng.sample(creators, rng.choices((1, 2, 3), (75, 20, 5))[0])
        created_at = max(self.timestamp(at), max(owner["created_at"] for owner in owners))
        asset = self._add(
            "ip_assets",
            "ast",
            title=f"{rng.choice(_ADJECTIVES).title()} {rng.choice(_NOUNS).title()} {self._numbers['ast'] + 1}",
            type=rng.choice(_TYPES),
            created_by=owners[0]["user_id"],
            created_at=created_at,
            deleted_at=None,
        )
        shares = {
            1: (10_000,),
            2: rng.choice(((5_000, 5_000), (6_500, 3_500), (8_000, 2_000))),
            3: (5_000, 3_001, 1_999),
        }
        self._open_shares[asset["id"]] = [
            self._share(asset, owner["id"], share, created_at.date())
            for owner, share in zip(owners, shares[len(owners)], strict=True)
        ]
        # A new asset gets a random popularity, seldom a high one.
        self.assets.insert(int(len(self.assets) * rng.random() ** 0.5), asset)
        return asset

    def _share(self, asset: Row, creator_id: str, share_bps: int, since: date) -> Row:
        return self._add(
            "ip_ownerships",
            "own",
            ip_asset_id=asset["id"],
            creator_id=creator_id,
            share_bps=share_bps,
            start_date=since,
            end_date=None,
        )

    def _license(self, rng: Random, at: int, parent: Row | None = None, *, is_signed: bool = False) -> Row:
        if parent is None:
            project = rng.choice(self.tables["projects"])
            asset = self.assets[int(len(self.assets) * rng.random() ** 2.2)]
            asset_id = asset["id"]
            created_at = max(self.timestamp(at), asset["created_at"], project["created_at"])
            is_free = rng.random() < _FREE_SHARE
            fee = 0 if is_free else round(rng.lognormvariate(0, 0.9) * _FEE_MEDIAN_CENTS / 500) * 500 + 1_500
            start = created_at.date() + timedelta(days=rng.choice((0, 0, 0, 1, 3, 7)))
        else:
            project = next(row for row in self.tables["projects"] if row["id"] == parent["project_id"])
            asset_id = parent["ip_asset_id"]
            fee = parent["fee_cents"] * rng.choice((90, 100, 100, 110)) // 100
            start = parent["end_date"]
            created_at = self.timestamp(at)
        row = self._add(
            "licenses",
            "lic",
            ip_asset_id=asset_id,
            brand_id=project["brand_id"],
            project_id=project["id"],
            parent_license_id=parent["id"] if parent else None,
            fee_cents=min(fee, 2_500_000),
            status="active" if is_signed else "pending",
            start_date=start,
            end_date=start + timedelta(days=rng.choice((14, 30, 30, 90, 180, 365))),
            created_at=created_at,
        )
        if is_signed and row["end_date"] < self._start:
            row["status"] = "expired"
        else:
            self._expiring[row["end_date"]].append(row)
        self.licenses_of[asset_id].append(row)
        if not is_signed and rng.random() < 0.85:
            self._unsigned.append(row)
        return row
