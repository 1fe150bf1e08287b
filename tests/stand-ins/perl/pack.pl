# pack.pl CPAN MODULE: packs the installed MODULE, and the modules below it, as a distribution of the mirror CPAN.
use strict;
use warnings;
use ExtUtils::MakeMaker ();
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Find qw(find);
use File::Path qw(make_path);

my ($cpan, $module) = @ARGV;
my $folder = '/usr/share/perl5';
(my $main = "$module.pm") =~ s{::}{/}g;
my $version = MM->parse_version("$folder/$main");
my $name = "$module-$version" =~ s/::/-/gr;
my $place = 'D/DE/DEBIAN';

# A package of Debian tells which files are its own.
my $package = lc "lib$module-perl" =~ s/::/-/gr;
my @files = grep { s{^\Q$folder\E/}{} && -f "$folder/$_" } split /\n/, qx(dpkg-query --listfiles $package);
die "$package has no modules\n" unless @files;
for my $file (@files) {
    make_path("/tmp/$name/lib/" . dirname($file));
    copy("$folder/$file", "/tmp/$name/lib/$file") or die "$file: $!\n";
}
open my $makefile, '>', "/tmp/$name/Makefile.PL" or die $!;
print $makefile "use ExtUtils::MakeMaker;\nWriteMakefile(NAME => '$module', VERSION_FROM => 'lib/$main');\n";
close $makefile;

make_path("$cpan/authors/id/$place", "$cpan/modules");
system('tar', '-C', '/tmp', '-czf', "$cpan/authors/id/$place/$name.tar.gz", $name) == 0 or die "tar failed\n";
my $index = "$cpan/modules/02packages.details.txt";
my $is_new = !-e $index;
open my $list, '>>', $index or die $!;
print $list "File: 02packages.details.txt\n\n" if $is_new;
print $list "$module $version $place/$name.tar.gz\n";
