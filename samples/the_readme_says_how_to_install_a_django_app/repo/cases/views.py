import subprocess
from pathlib import Path

import redis
from django.conf import settings
from django.shortcuts import render

from .models import Case

FEES = Path(__file__).with_name("fees.pdf")


def index(request):
    fees = subprocess.run(["pdftotext", FEES, "-"], check=True, capture_output=True, text=True)
    visits = redis.Redis.from_url(settings.REDIS_URL).incr("docket:visits")
    context = {
        "open_cases": Case.objects.filter(is_open=True).count(),
        "fees": fees.stdout.strip(),
        "visits": visits,
    }
    return render(request, "cases/index.html", context)
