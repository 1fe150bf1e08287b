<?php
require 'lib/pages.php';
if (!is_file('content/ship.txt')) {
    header('Location: setup.php');
    exit;
}
page(htmlspecialchars(file_get_contents('content/ship.txt')), file_get_contents('content/welcome.html'));
