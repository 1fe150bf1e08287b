<?php
function parish(string $path, string $mode): string
{
    $name = basename(parse_url($path, PHP_URL_PATH)) ?: 'all';
    return "parish $name, $mode, up to " . ini_get('upload_max_filesize') . "\n";
}
