from datetime import date

from django.core.management import call_command
from django.test import TestCase

from .models import Case


class CloseCases(TestCase):
    def test_only_past_cases_are_closed(self):
        Case.objects.create(number="24-001", client="Ashby", last_day=date(2024, 1, 31))
        Case.objects.create(number="24-002", client="Moor")
        call_command("closecases")
        self.assertEqual([c.number for c in Case.objects.filter(is_open=True)], ["24-002"])
