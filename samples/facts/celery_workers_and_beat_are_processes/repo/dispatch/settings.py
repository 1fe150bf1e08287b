import os

SECRET_KEY = os.environ["SECRET_KEY"]
INSTALLED_APPS = []
ROOT_URLCONF = "dispatch.urls"
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0")
