"""Work that is not a subaccount's own making: mails, refreshes, comparisons."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.agencies import Agency
from accounts.models.claimable import Claimable
from accounts.models.scope import ScopedQuerySet


class JobQuerySet(ScopedQuerySet["Job"]):
    pass


class Job(Claimable):
    """A piece of work, written in the transaction of the change that needs it, done by the worker.

    `payload` holds no secret; one that the work needs stands sealed in `sealed_secret` and is blanked when done.
    """

    class Kind(models.TextChoices):
        MAIL = "mail"
        RECONCILE = "reconcile"
        REFRESH = "refresh"

    agency = models.ForeignKey(Agency, models.CASCADE, null=True, blank=True, related_name="jobs")
    customer_id = models.BigIntegerField(null=True, blank=True, help_text="Whose timeline shows it.")
    kind = models.CharField(max_length=9, choices=Kind)
    payload = models.JSONField(default=dict)
    sealed_secret = models.TextField(blank=True, default="")
    once = models.CharField(
        max_length=120, unique=True, null=True, blank=True, help_text="A second job of that name is not written."
    )
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "run_at"], condition=models.Q(run_at__isnull=False), name="job_due"),
            models.Index(fields=["lease_until"], condition=models.Q(lease_until__isnull=False), name="job_held"),
            models.Index(fields=["customer_id", "created_at"], name="job_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
