INSTALLED_APPS = ["django.contrib.gis"]
