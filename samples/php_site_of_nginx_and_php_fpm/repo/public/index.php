<?php
require __DIR__ . '/../src/parish.php';

echo parish($_SERVER['REQUEST_URI'], $_SERVER['REGISTER_MODE'] ?? 'test');
