from django.http import HttpResponse

from .models import Plot


def index(request):
    free = Plot.objects.filter(tenant="").order_by("number").values_list("number", flat=True)
    numbers = ", ".join(str(number) for number in free)
    return HttpResponse(f"{len(free)} free plots: {numbers}\n", content_type="text/plain")
