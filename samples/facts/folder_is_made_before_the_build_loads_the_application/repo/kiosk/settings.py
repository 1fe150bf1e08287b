from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not-for-production"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "kiosk.urls"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
# Loading the settings fails where the folder is missing.
LOGGING = {
    "version": 1,
    "handlers": {
        "file": {"class": "logging.FileHandler", "filename": BASE_DIR / "log" / "kiosk.txt"}
    },
    "root": {"handlers": ["file"]},
}
