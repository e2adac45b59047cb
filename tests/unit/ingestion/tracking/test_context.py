"""Roles of the product have an actor type of the contract."""

from typing import get_args

import pytest

from ingestion.contract import ActorType
from ingestion.tracking import TrackingContext, actor_type_of
from ingestion.tracking.context import ACTOR_TYPES


def test_every_actor_type_of_the_contract_has_a_role_and_no_other_is_given() -> None:
    literal, *_ = get_args(ActorType)
    assert set(ACTOR_TYPES.values()) == set(get_args(literal))


@pytest.mark.parametrize(
    ("role", "actor_type"), [("admin", "admin"), (" CREATOR ", "creator"), ("brand_member", "brand"), ("new", None)]
)
def test_a_role_is_known_in_any_letter_case_and_a_new_one_says_nothing(role: str, actor_type: str | None) -> None:
    assert actor_type_of(role) == actor_type


def test_signing_in_changes_who_acts_and_nothing_else() -> None:
    visit = TrackingContext(source="web", anonymous_id="d")
    assert visit.signed_in("u", "brand") == TrackingContext(
        source="web", anonymous_id="d", actor_id="u", actor_type="brand"
    )
    assert visit.actor_id is None
