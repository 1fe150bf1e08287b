#!/bin/sh
sudo apt-get install -y inotify-tools
