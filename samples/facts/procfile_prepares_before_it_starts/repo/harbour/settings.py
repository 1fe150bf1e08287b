ALLOWED_HOSTS = [".example.net", "127.0.0.1"]
STATIC_ROOT = "static"
