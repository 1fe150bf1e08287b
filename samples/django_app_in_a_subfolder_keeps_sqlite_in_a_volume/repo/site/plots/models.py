from django.db import models


class Plot(models.Model):
    number = models.PositiveIntegerField(unique=True)
    tenant = models.CharField(max_length=100, blank=True)
