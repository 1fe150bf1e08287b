from .local_settings import *

ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "choir.urls"
INSTALLED_APPS = []
WSGI_APPLICATION = "choir.wsgi.application"
