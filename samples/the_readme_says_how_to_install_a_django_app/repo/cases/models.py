from django.db import models


class Case(models.Model):
    number = models.CharField(max_length=20, unique=True)
    client = models.CharField(max_length=200)
    last_day = models.DateField(null=True, blank=True)
    is_open = models.BooleanField(default=True)
