<?php

require dirname(__DIR__) . '/vendor/autoload.php';

use Harbour\Pilots\Board;

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (preg_match('#^/pilots/(\d+)$#', $path, $found)) {
    echo (new Board())->tell((int) $found[1]);
} else {
    http_response_code(404);
    echo 'no such page';
}
