#!/bin/sh
tail -n 1 arrivals.csv
