import os
from urllib.parse import unquote, urlsplit


def load(path):
    """Put the lines of a .env file into the environment; what is set already stays."""
    if path.exists():
        for line in path.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not name.startswith("#"):
                os.environ.setdefault(name.strip(), value.strip())


def database(url):
    """Turn postgres://user:password@host:port/name into Django's words."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or 5432,
    }
