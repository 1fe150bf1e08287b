#!/usr/bin/env perl
use Mojolicious::Lite -signatures;

my $from = $ENV{WINDSOCK_FROM} || 'west';

get '/' => sub ($c) {
    $c->render(text => "wind from the $from\n");
};

app->start;
