<?php
require __DIR__ . "/../lib/book.php";
echo title();
