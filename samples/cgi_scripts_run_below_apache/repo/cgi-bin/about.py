#!/usr/bin/env python3
import platform

print("Content-Type: text/plain\n")
print("harbour log on", platform.system())
