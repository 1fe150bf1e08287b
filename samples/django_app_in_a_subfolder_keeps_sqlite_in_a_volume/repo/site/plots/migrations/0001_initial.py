from django.db import migrations, models


def first_plots(apps, schema_editor):
    Plot = apps.get_model("plots", "Plot")
    for number, tenant in [(1, "Okafor"), (2, ""), (3, ""), (4, "Brandt"), (5, "")]:
        Plot.objects.create(number=number, tenant=tenant)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Plot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                ("tenant", models.CharField(blank=True, max_length=100)),
            ],
        ),
        migrations.RunPython(first_plots, migrations.RunPython.noop),
    ]
