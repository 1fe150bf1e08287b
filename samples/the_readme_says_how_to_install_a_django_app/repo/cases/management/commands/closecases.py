from django.core.management.base import BaseCommand
from django.utils import timezone

from cases.models import Case


class Command(BaseCommand):
    help = "Close the cases whose last day has passed."

    def handle(self, *args, **options):
        closed = Case.objects.filter(is_open=True, last_day__lt=timezone.localdate()).update(is_open=False)
        self.stdout.write(f"closed {closed} cases")
