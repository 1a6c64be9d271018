"""The action of an update of somebody who holds a loyalty card, as the client sends it and the sandbox takes it."""

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.ids import LoyaltyCardId, LoyaltyUserId
from tests.coupontools_api.joined.conftest import World


@pytest.mark.parametrize(("actions", "is_voided"), [(["void"], True), (["void", "unvoid"], False)], ids=str)
def test_an_action_is_done(ada: Coupontools, world: World, actions: list[str], is_voided: bool):
    card, user = LoyaltyCardId(world.stock.card), LoyaltyUserId(world.stock.card_user)

    for action in actions:
        ada.loyalty.update_user(card, user=user, action=action)

    assert {row.id: row.is_voided for row in ada.loyalty.users(card)}[user] is is_voided


def test_an_action_that_the_vendor_does_not_know_is_invalid_and_changes_nothing(ada: Coupontools, world: World):
    card, user = LoyaltyCardId(world.stock.card), LoyaltyUserId(world.stock.card_user)
    before = ada.loyalty.users(card)

    with pytest.raises(errors.InvalidInput) as caught:
        ada.loyalty.update_user(card, user=user, amount=5, action="dance")

    assert (caught.value.codes, caught.value.may_have_happened) == ((302,), False)
    assert ada.loyalty.users(card) == before
