<?php
require_once __DIR__ . '/wp-load.php';

require ABSPATH . 'wp-content/themes/harbour/index.php';
