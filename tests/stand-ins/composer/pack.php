<?php
// Packs /usr/bin/composer and /usr/share/php into /tmp/composer.phar. Their autoloaders name files relative to their own.
// PHP 8.4 finds much in them deprecated, of which nobody wants to hear.
$phar = new Phar('/tmp/composer.phar', 0, 'composer.phar');
$phar->startBuffering();
$main = preg_replace('/^#!.*\n/', '', file_get_contents('/usr/bin/composer'));
$phar->addFromString('bin/composer', str_replace('error_reporting(-1);', '', $main));
$files = new RecursiveIteratorIterator(
    new RecursiveDirectoryIterator('/usr/share/php', FilesystemIterator::SKIP_DOTS | FilesystemIterator::FOLLOW_SYMLINKS)
);
foreach ($files as $file) {
    $contents = file_get_contents($file->getPathname());
    if (strpos($file->getPathname(), '/Psr/')) {
        $contents = str_replace('string|\Stringable ', '', $contents); // which PHP 7 does not understand
    }
    $contents = str_replace('!$isDeprecationNotice && !(error', '$isDeprecationNotice || !(error', $contents);
    $phar->addFromString('share/php' . substr($file->getPathname(), strlen('/usr/share/php')), $contents);
}
$phar->setStub(file_get_contents('/tmp/stub.php'));
$phar->stopBuffering();
