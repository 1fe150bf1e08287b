from django.urls import path

from cases.views import index

urlpatterns = [path("", index)]
