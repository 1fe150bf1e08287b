<?php
$db = new mysqli("localhost", "root", "", "pantry");
echo "ok";
