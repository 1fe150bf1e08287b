<?php
require 'vendor/autoload.php';
echo 'Two umbrellas';
