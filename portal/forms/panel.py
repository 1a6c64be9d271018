"""What a launch may ask for."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Campaign
from accounts.panel import PAGES, UPDATE_CAMPAIGN


class LaunchForm(forms.Form):
    """A page of the closed list (or none), and for update_campaign one of this subaccount's own campaigns."""

    page = forms.ChoiceField(choices=[(page, page) for page in PAGES], required=False)
    campaign = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, campaigns: Iterable[Campaign], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["campaign"].choices = [(campaign.vendor_id, campaign.label) for campaign in campaigns]

    def clean(self) -> dict[str, str]:
        page = self.cleaned_data.get("page", "")
        campaign = self.cleaned_data.get("campaign", "")
        if page == UPDATE_CAMPAIGN and not campaign and "campaign" not in self.errors:
            raise ValidationError("update_campaign needs a campaign")
        # The picker stands in the same form as the other buttons: its value only counts for its own.
        return {"page": page, "campaign": campaign if page == UPDATE_CAMPAIGN else ""}
