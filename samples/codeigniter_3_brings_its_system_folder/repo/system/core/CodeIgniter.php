<?php
defined('BASEPATH') OR exit('No direct script access allowed');

require APPPATH . 'config/database.php';
require APPPATH . 'controllers/Roster.php';

(new Roster($db['default']))->index();
