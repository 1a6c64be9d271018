"""The client's settings for a vendor that differs from what is assumed."""

from datetime import UTC, datetime

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.ids import CampaignId
from tests.conftest import NORTH_KEYS
from tests.coupontools_api.joined.conftest import World

SINCE = datetime(2020, 1, 1, 12, 30, tzinfo=UTC)


def client_of(world: World, **settings: object) -> Coupontools:
    client_id, client_secret = NORTH_KEYS
    return Coupontools(client_id=client_id, client_secret=client_secret, base_url=world.sandbox.url, **settings)


def test_v4_takes_the_other_kind_of_headers_if_both_are_sent(world: World):
    world.sandbox.settings(rest_headers="x-client")

    with client_of(world) as usual, pytest.raises(errors.Unauthorized):
        usual.directories.v4.list()
    with client_of(world, sends_all_headers=True) as client:
        assert client.directories.v4.list()


def test_times_in_filters_can_be_written_otherwise(world: World):
    world.sandbox.settings(filter_time="colon")
    campaign = CampaignId(world.stock.campaign)

    with client_of(world) as usual, pytest.raises(errors.InvalidInput):
        next(usual.campaigns.usage(campaign, start=SINCE))
    with client_of(world, time_format="%Y-%m-%d %H:%M") as client:
        assert next(client.campaigns.usage(campaign, start=SINCE)).session
