import os
from pathlib import Path

from . import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env.load(BASE_DIR / ".env")

DATABASES = {"default": env.database(os.environ["DATABASE_URL"])}
REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

INSTALLED_APPS = ["django.contrib.staticfiles", "cases"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
ROOT_URLCONF = "docket.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
TIME_ZONE = "Europe/London"
USE_TZ = True
