from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                ("client", models.CharField(max_length=200)),
                ("last_day", models.DateField(blank=True, null=True)),
                ("is_open", models.BooleanField(default=True)),
            ],
        ),
    ]
