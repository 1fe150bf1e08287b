<?php
define('ENVIRONMENT', isset($_SERVER['CI_ENV']) ? $_SERVER['CI_ENV'] : 'development');

$system_path = 'system';
$application_folder = 'application';

define('BASEPATH', __DIR__ . '/' . $system_path . '/');
define('APPPATH', __DIR__ . '/' . $application_folder . '/');

require_once BASEPATH . 'core/CodeIgniter.php';
