AUTHOR = "Ida"
SITENAME = "Allotment"
SITEURL = ""
PATH = "content"
TIMEZONE = "Europe/Berlin"
PLUGINS = ["sitemap"]
