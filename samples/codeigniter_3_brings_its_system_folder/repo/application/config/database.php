<?php
defined('BASEPATH') OR exit('No direct script access allowed');

$active_group = 'default';

$db['default'] = array(
	'dsn'	=> '',
	'hostname' => 'localhost',
	'username' => 'roster',
	'password' => 'roster',
	'database' => 'roster',
	'dbdriver' => 'mysqli',
	'dbprefix' => '',
	'pconnect' => FALSE,
);
