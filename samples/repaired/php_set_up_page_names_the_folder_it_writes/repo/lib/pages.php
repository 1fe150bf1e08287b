<?php
function page($title, $body) {
    echo "<!doctype html>\n<title>$title</title>\n<h1>$title</h1>\n$body\n";
}
