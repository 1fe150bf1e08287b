from django.urls import path

from plots.views import index

urlpatterns = [path("", index)]
