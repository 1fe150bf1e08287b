<?php
// Written by Composer.
require __DIR__ . '/monolog/monolog/Logger.php';
