import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-the-club-house-network")
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["plots"]
ROOT_URLCONF = "allotments.urls"
WSGI_APPLICATION = "allotments.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "data" / "allotments.sqlite3",
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
