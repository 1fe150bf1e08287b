#!/usr/bin/env python2
print "Content-Type: text/plain\n"
print "3 visitors"
