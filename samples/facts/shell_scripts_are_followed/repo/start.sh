#!/bin/sh
PORT=8105
exec gunicorn app:app --bind 0.0.0.0:$PORT
