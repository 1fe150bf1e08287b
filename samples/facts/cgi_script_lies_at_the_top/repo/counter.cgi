#!/usr/bin/perl
use CGI qw(header);
use Text::CSV;
use JSON;
print header('text/plain'), "counted for $ENV{REMOTE_ADDR} in $ENV{COUNTER_UNIT}\n";
