package Tidebook;
use Dancer2;

get '/' => sub { 'high water at four' };

1;
