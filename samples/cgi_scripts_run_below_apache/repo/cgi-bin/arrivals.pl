#!/usr/local/bin/perl
use strict;
use warnings;
use CGI;
use DBI;
require "page.pl";

my $host = $ENV{DB_HOST} || 'localhost';
my $name = $ENV{DB_NAME} || 'harbour';
my $db = DBI->connect("DBI:mysql:database=$name;host=$host", $ENV{DB_USER}, $ENV{DB_PASSWORD}, { RaiseError => 1 });
my ($ships) = $db->selectrow_array('SELECT COUNT(*) FROM arrivals');
my $latest = $db->selectcol_arrayref('SELECT ship FROM arrivals ORDER BY at DESC LIMIT 1')->[0];

print CGI->new->header('text/html; charset=utf-8'), page('Arrivals', "$ships ships, the last one is the $latest");
