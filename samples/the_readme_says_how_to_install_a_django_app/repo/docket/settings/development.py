from .base import *

DEBUG = True
SECRET_KEY = "development"
INSTALLED_APPS = [*INSTALLED_APPS, "django_extensions"]
