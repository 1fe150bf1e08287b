#!/usr/bin/python
import cgi
import os

form = cgi.FieldStorage()
print "Content-Type: text/html"
print
print "<p>Hello %s from %s</p>" % (form.getvalue("name", "stranger"), os.environ.get("REMOTE_ADDR"))
