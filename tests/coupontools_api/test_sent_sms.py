"""Of which campaign the vendor says that an SMS was."""

from typing import Any

import pytest

from coupontools_api.client import Coupontools
from coupontools_api.ids import CampaignId
from tests.coupontools_api.rows import OK
from tests.coupontools_api.scripted import Vendor, answers

CAMPAIGN = CampaignId("cam_5")


@pytest.mark.parametrize("told", ["cam_5", "5", 5], ids=repr)
def test_it_comes_out_with_its_prefix_however_it_is_told(bold: Coupontools, script: Vendor, told: str | int):
    script.plays(answers(OK | {"campaign": told}))

    campaign = bold.messages.send_sms(CAMPAIGN, phone="+3247", message="Hello").campaign

    assert (type(campaign), campaign) == (CampaignId, "cam_5")


@pytest.mark.parametrize("told", [{}, {"campaign": None}, {"campaign": ""}, {"campaign": " "}], ids=repr)
def test_where_none_is_told_there_is_none(bold: Coupontools, script: Vendor, told: dict[str, Any]):
    script.plays(answers(OK | told))

    assert bold.messages.send_sms(CAMPAIGN, phone="+3247", message="Hello").campaign is None
